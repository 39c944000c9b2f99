"use strict";
// The arrows that fold a part of the navigation have no words; without a name, who does not see them cannot tell them apart.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll("summary:has(> .toctree-toggle)")) {
    const title = toggle.closest("li")?.querySelector("a")?.textContent.trim() ?? "";
    toggle.setAttribute("aria-label", `Pages below ${title}`);
  }
});
