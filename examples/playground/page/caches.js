// The live strip: the state of the issuer and of the five key caches.
import { $, fill, make, setText, duration } from "./dom.js";

let latest; // the last drawn state
let ahead = 0; // by how many ms this clock is ahead of the server's

export const issuerIsDown = () => Boolean(latest?.issuer.down);

export function drawState(state) {
  latest = state;
  ahead = Date.now() - Date.parse(state.now);
  const { issuer } = state;
  setText($("issuer-state"), issuer.down ? "down" : "up");
  $("issuer-state").className = `pill ${issuer.down ? "bad" : "good"}`;
  setText($("signing"), short(issuer.signing));
  $("signing").title = issuer.signing;
  setText($("seen"), `and served keys ${issuer.fetches} times`);
  setText($("power"), issuer.down ? "Bring the issuer up" : "Take the issuer down");
  drawCaches();
}

// drawCaches is called every second, so that ages grow.
export function drawCaches() {
  if (latest) fill($("caches"), ...latest.caches.map(cache));
}

const short = (id) => id.slice(0, 8);
const since = (time) => (Date.now() - ahead - Date.parse(time)) / 1000;

function cache(c) {
  const [word, colour] = health(c);
  const item = make("li", "", make("span", "name", c.server, make("span", `pill ${colour}`, word)), keys(c));
  item.dataset.server = c.server;
  item.dataset.fetches = c.fetches;
  for (const line of lines(c)) item.append(make("span", "", line));
  return item;
}

function health(c) {
  if (c.error) return ["silent", "bad"];
  if (!c.fetched_at) return c.last_error ? ["no keys", "bad"] : ["empty", ""];
  if (!c.usable) return ["too old", "bad"];
  return c.last_error ? ["in use", "no"] : ["fresh", "good"];
}

function keys(c) {
  const list = make("span", "keys");
  for (const id of c.key_ids ?? []) {
    const key = make("code", id === latest.issuer.signing ? "key signing" : "key", short(id));
    key.title = id;
    list.append(key);
  }
  return list;
}

function lines(c) {
  if (c.error) return [c.error];
  const list = [];
  if (c.fetched_at) list.push(`age ${duration(since(c.fetched_at))}`);
  else list.push("fetches with the first token");
  if (c.refresh_due) {
    const left = -since(c.refresh_due);
    list.push(left > 0 ? `refresh in ${duration(left)}` : "refresh with the next request");
  }
  list.push(`${c.fetches} ${c.fetches === 1 ? "fetch" : "fetches"}`);
  if (c.last_error) {
    const wait = c.next_attempt ? -since(c.next_attempt) : 0;
    list.push(wait > 0 ? `the last failed; again in ${duration(wait)}` : "the last failed; may fetch again");
  }
  return list;
}
