"use strict";
// The arrows that fold a part of the navigation have no words; without a name, who does not see them cannot tell them apart.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll("summary:has(> .toctree-toggle)")) {
    const title = toggle.closest("li")?.querySelector("a")?.textContent.trim() ?? "";
    toggle.setAttribute("aria-label", `Pages below ${title}`);
  }
  // On a phone a picture is scrolled, which must be possible without a mouse, too.
  for (const figure of document.querySelectorAll(".bd-article figure:has(> img)")) {
    figure.tabIndex = 0;
  }
});
