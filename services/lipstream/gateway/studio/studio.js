/** The studio: a page to meet an avatar, and one for videos. */
import { AvatarShelf } from "./avatar-shelf.js";
import { AvatarDialog } from "./avatar-dialog.js";
import { byId } from "./elements.js";
import { JobsPage } from "./jobs-page.js";
import { KeyDialog } from "./key-dialog.js";
import { LivePage } from "./live-page.js";
import { onKeyWanted } from "./server.js";
import { offerVoices } from "./voices.js";

const PAGES = ["live", "jobs"];

const keys = new KeyDialog();
onKeyWanted((refusal) => keys.ask(refusal));

const shelf = new AvatarShelf();
const live = new LivePage(shelf);
const jobs = new JobsPage(shelf);
const dialog = new AvatarDialog();
dialog.addEventListener("closed", async ({ detail }) => {
  await shelf.refresh();
  if (detail) shelf.choose(detail);
});
byId("new-avatar").addEventListener("click", () => dialog.open());

function turn() {
  const wanted = location.hash.slice(1);
  const shown = PAGES.includes(wanted) ? wanted : PAGES[0];
  for (const page of PAGES) {
    byId(page).hidden = page !== shown;
    const link = document.querySelector(`nav a[href="#${page}"]`);
    if (page === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown === "jobs") jobs.open();
  else jobs.close();
}

addEventListener("hashchange", turn);
addEventListener("pagehide", () => live.close());
turn();
shelf.refresh().then(offerVoices); // later: a key that the server wants is asked for once
