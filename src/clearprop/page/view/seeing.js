/** Nothing is computed before it is looked at: drawing waits until an element is near the window. */

const NEARBY = "300px";

/** @type {Map<Element, function(boolean): void>} */
const waiting = new Map();
let observer = null;

/**
 * Draw an element when it comes near the window, and again when what it shows has changed.
 *
 * @param {Element} element
 * @param {import("./store.js").Store|null} store
 * @param {Array<string>} names - The store's values that it shows.
 * @param {function(): void} draw
 * @returns {function(): void} What asks for another drawing, by the next frame.
 */
export function drawnWhenSeen(element, store, names, draw) {
  let isSeen = false;
  let isStale = true;
  let isAsked = false;
  const drawNow = () => {
    isAsked = false;
    if (!isSeen || !isStale) return;
    isStale = false;
    draw();
  };
  const ask = () => {
    isStale = true;
    if (!isSeen || isAsked) return;
    isAsked = true;
    requestAnimationFrame(drawNow);
  };
  for (const name of names) store.watch(name, ask);
  whenSeen(element, (seen) => {
    isSeen = seen;
    drawNow();
  });
  return ask;
}

/**
 * Tell whenever an element comes near the window or leaves it.
 *
 * @param {Element} element
 * @param {function(boolean): void} told
 * @returns {function(): void} What ends it.
 */
export function whenSeen(element, told) {
  observer ??= new IntersectionObserver(tellWaiting, { rootMargin: NEARBY });
  waiting.set(element, told);
  observer.observe(element);
  return () => {
    waiting.delete(element);
    observer.unobserve(element);
  };
}

function tellWaiting(entries) {
  for (const { target, isIntersecting } of entries) {
    waiting.get(target)?.(isIntersecting);
    if (target.isConnected) continue;
    waiting.delete(target); // it has left the page for good
    observer.unobserve(target);
  }
}
