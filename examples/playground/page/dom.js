// Elements are made only here. Their content is set as text, so nothing in a token or an answer becomes markup.

export const $ = (id) => document.getElementById(id);

// make builds an element of a tag, with classes, and children that are elements or texts.
export function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  for (const child of children) if (child !== null) element.append(child); // append makes text of strings
  return element;
}

// fill replaces the children of an element.
export function fill(element, ...children) {
  element.replaceChildren(...children);
}

// setText writes only changes: at each one a live region speaks, and a selection is lost.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// radio is one of several choices under one name, with its label.
export function radio(name, value, checked, classes, ...label) {
  const input = make("input");
  Object.assign(input, { type: "radio", name, value, checked });
  return make("label", classes, input, ...label);
}

// duration writes a number of seconds in words. The spaces do not break.
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s}\u00a0s`;
  if (s < 7200) return `${Math.round(s / 60)}\u00a0min`;
  if (s < 172800) return `${Math.round(s / 3600)}\u00a0h`;
  return `${Math.round(s / 86400)}\u00a0days`;
}
