/* The picker with JavaScript: the visitor's own zone on arrival, arrow keys from day to day, a word when offline.
   Everything works without this file. */
(() => {
  "use strict";
  const picker = () => document.getElementById("picker");
  const say = (text) => { document.getElementById("live").textContent = text; };

  /* A restored form value must never contradict the times: the server's zone is what the list shows. */
  const agree = () => {
    const list = document.getElementById("tz");
    if (list) list.value = picker().dataset.tz;
  };

  const detect = async () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const here = new URL(location.href);
    if (!own || here.searchParams.has("tz") || own === picker().dataset.tz) return;
    here.searchParams.set("tz", own);
    /* A synthetic change of the list would show another zone than the times: ask the server for both at once. */
    await htmx.ajax("GET", here.pathname + here.search, { target: "#picker", swap: "outerHTML" });
    history.replaceState(history.state, "", here);
  };

  const keys = { ArrowLeft: "previous", ArrowRight: "next" };
  document.addEventListener("keydown", (event) => {
    const way = keys[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!event.target.closest || !event.target.closest(".days, #day")) return;
    const id = picker().dataset[way];
    const there = id && document.getElementById(id);
    const step = document.getElementById(way === "next" ? "later" : "earlier");
    if (!there && !(id && step)) return;
    event.preventDefault();
    (there || step).click();
  });

  document.addEventListener("htmx:error", () => say(document.getElementById("live").dataset.offline));
  window.addEventListener("pageshow", agree);
  document.addEventListener("DOMContentLoaded", () => { if (picker()) { agree(); detect(); } });
})();
