/** The frame of a run's page: groups of panels under their headings, each made when it is reached. */

import { make } from "./dom.js";
import { whenSeen } from "./seeing.js";
import { say } from "./words.js";

/**
 * @typedef {object} Panel
 * @property {string} id - Unique within the page.
 * @property {string} title
 * @property {function(object): (HTMLElement|null)} make - Makes the panel from a context; null where
 *   there is nothing to show of it.
 * @property {function(object): boolean} [when] - Whether a context has what it shows.
 * @typedef {{id: string, title: string, panels: Panel[]}} Group
 */

/** Return the groups that have a panel for a context, with those panels alone. */
export function shownGroups(groups, context) {
  return groups
    .map((group) => ({ ...group, panels: group.panels.filter(({ when }) => !when || when(context)) }))
    .filter((group) => group.panels.length);
}

/** Make the links to groups; that of the group being read is marked. */
export function contentsOf(groups) {
  const links = new Map(groups.map(({ id, title }) => [id, make("a", { href: `#${id}` }, title)]));
  const reading = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) links.get(target.id)?.setAttribute("aria-current", "true");
        else links.get(target.id)?.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-25% 0px -74% 0px" },
  );
  const element = make(
    "nav",
    { class: "contents", "aria-label": say("Contents") },
    make(
      "ul",
      {},
      [...links.values()].map((link) => make("li", {}, link)),
    ),
  );
  return { element, follow: (group) => reading.observe(group) };
}

/** Make a group: its heading, and its panels, empty until they come near the window. */
export function groupElement({ id, title, panels }, context) {
  return make(
    "section",
    { class: "group", id, "aria-labelledby": `${id}-title` },
    make("h2", { id: `${id}-title` }, title),
    make(
      "div",
      { class: "panels" },
      panels.map((panel) => panelElement(panel, context)),
    ),
  );
}

function panelElement({ id, title, make: makePanel }, context) {
  const body = make("div", { class: "panel-body" });
  const element = make(
    "section",
    { class: "panel", id, "aria-labelledby": `${id}-title` },
    make("h3", { id: `${id}-title` }, title),
    body,
  );
  const end = whenSeen(body, (isSeen) => {
    if (!isSeen) return;
    end();
    const panel = made(makePanel, context);
    if (panel === null) return element.remove(); // it has nothing to show of this run
    body.append(panel);
    body.classList.add("made");
  });
  return element;
}

/** Make a panel; where that fails the others stay, and the reason is said in its place. */
function made(makePanel, context) {
  try {
    return makePanel(context);
  } catch (error) {
    console.error(error);
    return make("p", { class: "error" }, String(error.message));
  }
}
