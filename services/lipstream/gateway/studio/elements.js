/** Small helpers for the page's elements. */

/** The element of that id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Show a text in an element that is hidden without one. */
export function tell(element, text) {
  element.textContent = text;
  element.hidden = !text;
}
