// The outcome of a request: the verdict, five panes, why, the token, the code.
import { $, fill, make } from "./dom.js";
import { drawToken } from "./token.js";

// tone is the colour of a status. It is never the only sign.
const tone = (status) => (status === 200 ? "good" : status >= 500 || !status ? "bad" : "no");

export function drawOutcome(outcome) {
  drawVerdict(outcome);
  fill($("panes"), ...outcome.answers.map(pane));
  fill($("steps"), ...outcome.why.steps.map(step));
  $("log").hidden = !outcome.why.log;
  $("log-line").textContent = outcome.why.log ?? "";
  drawToken(outcome.token);
  drawCode(outcome);
}

function drawVerdict({ answers, differ, path }) {
  const first = answers[0];
  $("banner").hidden = differ.length === 0;
  fill($("differ"), ...differ.map((text) => make("li", "", text)));
  if (differ.length) {
    fill($("verdict"), "GET ", make("code", "", path), ": the answers differ.");
    return;
  }
  const because = first.reason ? ` The log says ${first.reason}.` : "";
  fill($("verdict"), "GET ", make("code", "", path), ": all five answered ", make("strong", "", `${first.status} ${first.title}`), ".", because);
}

function pane(answer) {
  const status = answer.error ? "no answer" : `${answer.status} ${answer.title}`;
  const box = make("article", `pane ${tone(answer.status)}`, make("h3", "", answer.server, make("span", `pill ${tone(answer.status)}`, status)));
  box.dataset.server = answer.server;
  box.dataset.status = answer.status;
  if (answer.error) {
    box.append(make("p", "error", answer.error));
    return box;
  }
  box.append(make("dl", "", ...answer.header.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value)))));
  const body = make("pre", "", answer.body);
  body.tabIndex = 0;
  body.setAttribute("aria-label", `Body of ${answer.server}'s answer`);
  box.append(body);
  return box;
}

// marks show a verdict as a sign, a colour and, for screen readers, a word.
const marks = {
  yes: ["✓", "good", "Yes"], no: ["✗", "no", "No"], unknown: ["?", "bad", "Unknown"], unasked: ["–", "", "Not asked"],
  skipped: ["–", "", "Not required"],
  granted: ["✓", "good", "Granted"], denied: ["✗", "no", "Denied"], failed: ["!", "bad", "Failed"],
};

function mark(verdict) {
  const [sign, colour, word] = marks[verdict];
  const shown = make("span", `mark ${colour}`, sign);
  shown.setAttribute("aria-hidden", "true");
  return [shown, make("span", "hidden", `${word}: `)];
}

function step({ question, verdict, detail, remedy, checks, tree }) {
  const [shown, spoken] = mark(verdict);
  const text = make("div", verdict === "unasked" ? "unasked" : "", make("p", "", spoken, make("strong", "", question)));
  if (detail) text.append(make("p", "", detail));
  if (remedy) text.append(make("p", "hint", remedy));
  if (checks) text.append(make("ul", "checks", ...checks.map(check)));
  if (tree) text.append(make("ul", "tree", branch(tree)));
  const item = make("li", "step", shown, text);
  item.dataset.verdict = verdict;
  return item;
}

// check is one line of the library's trace. One that failed says why, on a line of its own.
function check({ name, verdict, detail }) {
  const [shown, spoken] = mark(verdict);
  const item = make("li", detail ? "failed" : "", shown, spoken, make("code", verdict === "yes" || detail ? "" : "unasked", name));
  if (detail) item.append(make("span", "", detail));
  item.dataset.verdict = verdict;
  return item;
}

function branch({ text, verdict, detail, children }) {
  const [shown, spoken] = mark(verdict);
  const body = make("div", "", make("p", "", spoken, make("code", "", text)));
  if (detail) body.append(make("p", "hint", detail));
  const item = make("li", "", make("div", "step", shown, body));
  item.dataset.verdict = verdict;
  if (children) item.append(make("ul", "tree", ...children.map(branch)));
  return item;
}

let shown; // the outcome whose code is on the page

function drawCode(outcome) {
  shown = outcome;
  chooseServer();
}

// chooseServer shows the code and the command of the framework that is chosen.
export function chooseServer() {
  const server = document.querySelector("#choose input:checked")?.value;
  if (!shown || !server) return;
  $("code").textContent = shown.code[server];
  $("curl").textContent = shown.curl[server];
  $("copied").textContent = "";
}
