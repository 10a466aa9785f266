// A decoded token. It is not verified here; the services do that.
import { $, fill, make, duration } from "./dom.js";

export function drawToken(token) {
  $("token").hidden = !token;
  $("no-token").hidden = Boolean(token);
  if (!token) return;
  const parts = token.split(".");
  fill($("raw"), ...parts.flatMap((part, i) => [i ? "." : "", make("span", `raw-${i}`, part)]));
  $("token-header").textContent = pretty(parts[0]);
  $("token-claims").textContent = pretty(parts[1]);
  const length = Math.floor((parts[2].length * 3) / 4);
  $("token-signature").textContent = length ? `${length} bytes over the two parts before it.` : "Empty.";
  fill($("times"), ...times(parse(parts[1])));
}

function decode(part) {
  const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
}

function parse(part) {
  try {
    return JSON.parse(decode(part));
  } catch {
    return null;
  }
}

// pretty indents the JSON of a part. It does not change a part that is not JSON.
function pretty(part) {
  const value = parse(part);
  return value === null ? part : JSON.stringify(value, null, 2);
}

// times says in words what the claims say in seconds since 1970.
function times(claims) {
  const list = [];
  for (const name of ["auth_time", "iat", "nbf", "exp"]) {
    const at = claims?.[name];
    if (typeof at !== "number" || Math.abs(at) > 8e12) continue;
    const away = at - Date.now() / 1000;
    const when = away >= 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
    list.push(make("dt", "", name), make("dd", "", `${new Date(at * 1000).toLocaleString()}, ${when}`));
  }
  return list;
}
