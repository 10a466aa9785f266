// Elements are made here and nowhere else. What they hold is set as text, so nothing that a token
// or a service says can become markup.

export const $ = (id) => document.getElementById(id);

// make builds an element of a tag, with classes, and children that are elements or texts.
export function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  for (const child of children) if (child !== null) element.append(child); // append makes text of strings
  return element;
}

// fill puts children in the place of what an element held.
export function fill(element, ...children) {
  element.replaceChildren(...children);
}

// setText writes only what is new: a live region speaks, and a selection is lost, at each change.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// radio is one of several choices under one name, with its label.
export function radio(name, value, checked, classes, ...label) {
  const input = make("input");
  Object.assign(input, { type: "radio", name, value, checked });
  return make("label", classes, input, ...label);
}

// duration says a number of seconds as people do. The spaces in it do not break.
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s}\u00a0s`;
  if (s < 7200) return `${Math.round(s / 60)}\u00a0min`;
  if (s < 172800) return `${Math.round(s / 3600)}\u00a0h`;
  return `${Math.round(s / 86400)}\u00a0days`;
}
