/** Offers the server's voices wherever one may be named. */
import { byId, make } from "./elements.js";
import { ask } from "./server.js";

/** Fill the page's list; whoever knows a voice's name can type it without. */
export async function offerVoices() {
  const voices = await ask("/v1/voices").catch(() => []);
  const options = voices.map(({ voice, title }) => make("option", { value: voice, label: `${voice}: ${title}` }));
  byId("voices").replaceChildren(...options);
}
