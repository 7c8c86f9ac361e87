/** The REST interface: requests, refusals in the server's own words, server-sent events. */

/** Where the interface lies: the folder above this module's. */
const SERVER = new URL("..", import.meta.url);

const FINAL = ["ready", "succeeded", "failed", "cancelled"];
const STATUSES = ["queued", "running", ...FINAL];

const KEPT = "lipstream.key"; // as long as this tab lives

let key = sessionStorage.getItem(KEPT) ?? "";
let askForKey = null;

/** Show this API key from now on, where the server asks for one. */
export function useKey(given) {
  key = given;
  sessionStorage.setItem(KEPT, given);
}

/** @param {(refusal: Refusal) => Promise<string>} ask gives a key when the server wants another */
export function onKeyWanted(ask) {
  askForKey = ask;
}

/** What the server will not do, and why (RFC 9457). */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code || `http_${status}`;
    this.remedy = problem.remedy || "";
  }
}

/** An error as one text for people. */
export function inWords(error) {
  return [error.message, error.remedy].filter(Boolean).join(" ");
}

/** Whether nothing more happens to a job of this status. */
export function isFinal(status) {
  return FINAL.includes(status);
}

/** The full address of a path such as "/v1/avatars". */
export function address(path) {
  return new URL(path.replace(/^\//, ""), SERVER);
}

/**
 * Ask the server; its JSON, the ArrayBuffer of a file, or null where it answers with nothing.
 * @param {{method?: string, json?: object, form?: FormData, keepalive?: boolean}} options
 * @throws {Refusal} with status 0 when it cannot be reached
 */
export async function ask(path, options = {}) {
  const { method, json, form, keepalive } = options;
  const body = json ? JSON.stringify(json) : form;
  const headers = json ? { "content-type": "application/json" } : {};
  if (key) headers.authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(address(path), {
      method: method || (body ? "POST" : "GET"), body, headers, keepalive,
    });
  } catch {
    throw new Refusal(0, { detail: "The server cannot be reached.", code: "unreachable" });
  }
  if (!answer.ok) {
    const refusal = new Refusal(answer.status, await answer.json().catch(() => ({})));
    const other = answer.status === 401 && !keepalive && (await askForKey?.(refusal));
    if (!other) throw refusal;
    useKey(other);
    return ask(path, options);
  }
  if (answer.status === 204) return null;
  const isFile = !answer.headers.get("content-type")?.includes("json");
  return isFile ? answer.arrayBuffer() : answer.json();
}

/**
 * Follow a job's events to its end; the browser connects again by itself where it was cut off.
 * @param {(event: {status: string, stage: ?string, progress: number, error: ?object}) => void} told
 * @returns {() => void} ends it before
 */
export function follow(path, told) {
  const source = new EventSource(address(path));
  for (const status of STATUSES) {
    source.addEventListener(status, (message) => {
      if (isFinal(status)) source.close(); // else the browser would ask again
      told(JSON.parse(message.data));
    });
  }
  return () => source.close();
}
