/** A choice between a few things, as buttons beside each other. */

import { make } from "./dom.js";

/**
 * @param {string} label - What is chosen, for those who don't see the buttons together.
 * @param {[string, string][]} options - Each value with its text.
 * @param {function(string): void} chosen - Told the value that was chosen.
 * @returns {{element: HTMLElement, value: string}} The value is the first one until another is
 *   chosen.
 */
export function choiceOf(label, options, chosen) {
  const choice = {
    value: options[0][0],
    element: make("div", { class: "choices", role: "group", "aria-label": label }),
  };
  const buttons = options.map(([value, text]) =>
    make(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === choice.value),
        onclick: () => {
          choice.value = value;
          for (const [place, button] of buttons.entries()) {
            button.setAttribute("aria-pressed", String(options[place][0] === value));
          }
          chosen(value);
        },
      },
      text,
    ),
  );
  choice.element.append(...buttons);
  return choice;
}
