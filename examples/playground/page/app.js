// The page's wiring: the form, the requests, and the clock of the live strip.
import { $, fill, make, radio, setText } from "./dom.js";
import { drawOutcome, chooseServer } from "./outcome.js";
import { drawState, drawCaches, issuerIsDown } from "./caches.js";

let offer;

async function call(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const response = await fetch(path, { method, headers, body });
  if (!response.ok) throw Object.assign(new Error((await response.text()).trim()), { status: response.status });
  return response.json();
}

// trouble shows that the server cannot be reached, or hides that.
function trouble(error) {
  $("gone").hidden = !error;
  if (error) setText($("gone"), error.status ? error.message : "The playground does not answer. Start it again and open the address that it prints.");
}

const option = ({ id, name }) => Object.assign(make("option", "", name), { value: id });
const chosen = (list, id) => list.find((one) => one.id === id);

function drawOffer() {
  fill($("persona"), ...offer.personas.map(option));
  fill($("flaw"), ...offer.flaws.map(option));
  offer.routes.forEach((route, i) => {
    $("routes").append(radio("route", route.id, i === 0, "choice",
      make("span", "path", make("code", "", `GET ${route.path}`)), make("span", "hint", route.about), make("span", "hint requires", make("code", "", route.requires))));
  });
  const buttons = offer.presets.map((preset, i) => {
    const button = make("button", "", preset.name);
    Object.assign(button, { type: "button", onclick: () => sendPreset(preset) });
    button.dataset.preset = i;
    return button;
  });
  $("presets").append(make("div", "", ...buttons));
}

function takePersona() {
  $("claims").value = JSON.stringify(chosen(offer.personas, $("persona").value).claims, null, 2);
  wrongClaims("");
}

function tellFlaw() {
  $("flaw-about").textContent = chosen(offer.flaws, $("flaw").value).about;
}

function wrongClaims(problem) {
  setText($("claims-error"), problem);
  $("claims").setAttribute("aria-invalid", String(Boolean(problem)));
  if (problem) $("edit").open = true;
}

async function send() {
  const { value } = $("claims");
  try {
    JSON.parse(value);
  } catch (error) {
    wrongClaims(`This is not JSON: ${error.message}`);
    $("claims").focus();
    return;
  }
  wrongClaims("");
  await busily(async () => {
    // The claims are sent as text, which is valid JSON: parsing and writing them would change large numbers.
    const route = document.querySelector("[name=route]:checked").value;
    const order = `{"claims":${value},"flaw":${JSON.stringify($("flaw").value)},"route":${JSON.stringify(route)}}`;
    drawOutcome(await call("POST", "api/send", order));
    drawState(await call("GET", "api/state"));
    $("answers").dataset.run = Number($("answers").dataset.run) + 1;
  });
}

// busily runs one task at a time and shows that it is running.
async function busily(work) {
  if ($("answers").ariaBusy === "true") return;
  $("answers").ariaBusy = "true";
  try {
    await work();
    trouble(null);
  } catch (error) {
    if (error.status === 422) wrongClaims(error.message);
    else trouble(error);
  } finally {
    $("answers").ariaBusy = "false";
  }
}

// sendAndShow also scrolls to the answers if they are below the form.
async function sendAndShow() {
  await send();
  if (matchMedia("(max-width: 60rem)").matches && $("claims").ariaInvalid !== "true") $("answers").scrollIntoView();
}

async function sendPreset(preset) {
  $("persona").value = preset.persona;
  $("flaw").value = preset.flaw;
  document.querySelector(`[name=route][value="${preset.route}"]`).checked = true;
  takePersona();
  tellFlaw();
  if (preset.rotate) await rotate();
  await sendAndShow();
}

const change = (path, done) => busily(async () => {
  drawState(await call("POST", path));
  $("done").textContent = done;
});

const rotate = () => change("api/rotate", "Rotated: new tokens are signed by a new key, which no cache knows yet. The old keys stay published.");
const power = () => (issuerIsDown()
  ? change("api/up", "The issuer is up. A service asks again once its back-off is over.")
  : change("api/down", "The issuer is down. Known keys serve on; an unknown key is answered with 503."));

async function copy() {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
    $("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren($("curl"));
    $("copied").textContent = "Selected: copy it with Ctrl+C.";
  }
}

// While the page is visible, the strip is fetched every two seconds, and its ages grow every second.
let beat = 0;
async function tick() {
  if (!document.hidden) {
    drawCaches();
    if (beat++ % 2 === 0) {
      try {
        drawState(await call("GET", "api/state"));
        trouble(null);
      } catch (error) {
        trouble(error);
      }
    }
  }
  setTimeout(tick, 1000);
}

async function begin() {
  try {
    offer = await call("GET", "api/offer");
  } catch (error) {
    trouble(error);
    return;
  }
  drawOffer();
  takePersona();
  tellFlaw();
  $("request").addEventListener("submit", (event) => { event.preventDefault(); sendAndShow(); });
  $("claims").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sendAndShow(); });
  $("persona").addEventListener("change", takePersona);
  $("flaw").addEventListener("change", tellFlaw);
  $("rotate").addEventListener("click", rotate);
  $("power").addEventListener("click", power);
  $("copy").addEventListener("click", copy);
  const state = await call("GET", "api/state");
  drawState(state);
  state.caches.forEach(({ server }, i) => $("choose").append(radio("server", server, i === 0, "", server)));
  $("choose").addEventListener("change", chooseServer);
  await send();
  tick();
}

begin();
