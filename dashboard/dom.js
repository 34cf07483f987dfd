// Elements are made here and nowhere else: texts become text nodes, so nothing that comes from outside is ever read as markup.

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; null, undefined and false leave one out; `style` is an object, set property by property
 * @param {...Child} children
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") for (const [property, text] of Object.entries(value)) node.style.setProperty(property, String(text));
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...present(children));
  return node;
}

/** @param {Child[]} children */
function present(children) {
  return /** @type {any[]} */ (children)
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Makes `node`'s children what `wanted` are, and leaves alone what is as it should be: focus, selection, scroll and transitions survive
 * a redraw. An element with `data-keep` stays untouched for as long as it is wanted.
 * @param {Element} node
 * @param {Child[]} wanted
 */
export function show(node, ...wanted) {
  const fresh = document.createDocumentFragment();
  fresh.append(...present(wanted));
  children(node, fresh);
}

/** @param {Node & ParentNode} live @param {Node} fresh */
function children(live, fresh) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((next, index) => {
    const now = live.childNodes[index];
    if (!now) live.append(next);
    else if (alike(now, next)) patch(now, next);
    else if (index + 1 < live.childNodes.length && alike(live.childNodes[index + 1], next)) {
      now.remove();
      patch(live.childNodes[index], next);
    } else if (live.childNodes.length < wanted.length) live.insertBefore(next, now);
    else live.replaceChild(next, now);
  });
  while (live.childNodes.length > wanted.length) live.lastChild?.remove();
}

/** @param {Node} one @param {Node} other */
function alike(one, other) {
  if (one.nodeName !== other.nodeName) return false;
  return !(one instanceof Element) || !(other instanceof Element) || key(one) === key(other);
}

/** @param {Element} element */
const key = (element) => element.getAttribute("data-key") ?? element.getAttribute("data-keep") ?? element.id;

/** @param {Node} live @param {Node} fresh */
function patch(live, fresh) {
  if (!(live instanceof HTMLElement) || !(fresh instanceof HTMLElement)) {
    if (live.nodeValue !== fresh.nodeValue) live.nodeValue = fresh.nodeValue;
    return;
  }
  if (fresh.dataset.keep !== undefined) return;
  attributes(live, fresh);
  children(live, fresh);
  if (live instanceof HTMLSelectElement && fresh instanceof HTMLSelectElement && live !== document.activeElement) live.value = fresh.value;
}

/** @param {HTMLElement} live @param {HTMLElement} fresh */
function attributes(live, fresh) {
  for (const { name } of [...live.attributes]) if (name !== "style" && !fresh.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (name !== "style" && live.getAttribute(name) !== value) live.setAttribute(name, value);
  // The policy lets scripts set styles, but no style attributes.
  if (live.style.cssText !== fresh.style.cssText) live.style.cssText = fresh.style.cssText;
}
