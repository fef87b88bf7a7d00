// What the page does beyond its HTML: refreshing keeps what a reader has opened, typed or chosen; and it says so when watchdog is gone.
"use strict";

const stale = document.getElementById("stale");
let fresh = new Date();

const inUse = (node) => node.contains(document.activeElement) || node.querySelector("details[open]") !== null;

Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !(node instanceof Element && node.id === "actions" && inUse(node));

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) fresh = new Date();
  stale.hidden = event.detail.successful || document.querySelector("[data-fault]") !== null;
  if (stale.hidden) return;
  const answered = event.detail.xhr && event.detail.xhr.status;
  const why = answered ? `watchdog cannot show how it is now (status ${answered}; its log says why)` : "watchdog does not answer";
  stale.textContent = `${why}; this is as it was at ${fresh.toLocaleTimeString()}`;
});
