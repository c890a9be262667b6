/* With JavaScript: the visitor's own zone on arrival, arrow keys from day to day, the next day fetched when a finger or
   a pointer comes near, a word when offline. Everything works without this file, and nothing is kept in the browser. */
const FRESH = 10000;
const DWELL = 80;
const picker = () => document.getElementById("picker");
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/* A restored form value must never contradict the times: the server's zone is what the list shows. */
const agree = () => {
  const list = document.getElementById("tz");
  if (list) list.value = picker().dataset.tz;
};

/* htmx comes once the page has been painted, so that a slow telephone shows the times first. Until it is there, and where
   it never comes, links are links, and another zone asks for the whole page: the list never contradicts the times. */
let coming = null;
let here = false;
const arrived = () => {
  coming ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = new URL("vendor/htmx-4.0.1/htmx.min.js", import.meta.url);
    script.addEventListener("load", () => setTimeout(() => { here = true; done(); }));
    document.head.append(script);
  });
  return coming;
};

document.addEventListener("change", (event) => {
  if (!here && event.target.id === "tz") event.target.form.submit();
});

/* A synthetic change of the list would show another zone than the times: the server is asked for both at once. */
const detect = async () => {
  const shown = document.querySelector("[data-tz]");
  const there = new URL(location.href);
  const own = zone();
  if (!shown || !own || there.searchParams.has("tz") || own === shown.dataset.tz) return;
  there.searchParams.set("tz", own);
  if (shown !== picker()) {
    location.replace(there);
    return;
  }
  await arrived();
  await htmx.ajax("GET", there.pathname + there.search, { target: "#picker", swap: "outerHTML" });
  history.replaceState(history.state, "", there);
};

/* While htmx asks for the outcome, the browser's own reload (for those without JavaScript) would only disturb. */
const hush = () => {
  if (document.querySelector('main[data-state="confirming"][data-hx-get]')) window.stop();
};

const ways = { ArrowLeft: ["previous", "earlier"], ArrowRight: ["next", "later"] };
const walk = (event) => {
  const way = ways[event.key];
  if (!way || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!event.target.closest?.(".days, #day")) return;
  const day = picker().dataset[way[0]];
  const link = day && (document.getElementById(day) || document.getElementById(way[1]));
  if (!link) return;
  event.preventDefault();
  link.click();
};

let ahead = null;
let waiting = 0;
const fetchAhead = (link) => {
  const address = link.getAttribute("href");
  if (navigator.connection?.saveData || (ahead?.address === address && Date.now() - ahead.at < FRESH)) return;
  const headers = { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Source": `a#${link.id}` };
  ahead = { address, at: Date.now(), answer: fetch(address, { headers }) };
  ahead.answer.catch(() => { ahead = null; });
};
const near = (event) => {
  const link = event.target.closest?.(".days a:not([aria-current]), .step[href]");
  clearTimeout(waiting);
  if (!link || !window.htmx) return;
  if (event.type === "touchstart") fetchAhead(link);
  else waiting = setTimeout(fetchAhead, DWELL, link);
};
const use = (event) => {
  clearTimeout(waiting); // the day is asked for already
  const { ctx } = event.detail;
  if (ahead && ahead.address === ctx.request.action && Date.now() - ahead.at < FRESH) {
    const { answer } = ahead;
    ctx.fetch = () => answer;
  }
  ahead = null;
};

/* The tapped day is the chosen one at once, and the old times step back, until the new ones are there or cannot come. */
let turned = null;
const turn = (link) => {
  picker().classList.add("turning");
  if (!link.matches(".days a")) return;
  turned = document.querySelector(".days [aria-current]");
  turned?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "date");
};
const turnBack = () => {
  picker()?.classList.remove("turning");
  if (!turned?.isConnected) return;
  document.querySelector(".days [aria-current]")?.removeAttribute("aria-current");
  turned.setAttribute("aria-current", "date");
};
const tapped = (event) => {
  const link = event.target.closest?.("main a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.dataset.slot) link.classList.add("going");
  else if (here && link.matches("#picker [data-hx-get]")) turn(link);
};

document.addEventListener("click", tapped);
document.addEventListener("keydown", walk);
document.addEventListener("pointerover", near, { passive: true });
document.addEventListener("touchstart", near, { passive: true });
document.addEventListener("htmx:before:request", use);
document.addEventListener("htmx:error", () => {
  turnBack();
  const live = document.getElementById("live");
  if (!live) return;
  live.className = "notice stop";
  live.textContent = live.dataset.offline;
});
document.addEventListener("htmx:after:swap", () => {
  const live = document.getElementById("live");
  if (live) live.className = "vh";
});
window.addEventListener("pageshow", () => {
  agree();
  for (const link of document.querySelectorAll(".going")) link.classList.remove("going");
});
window.addEventListener("load", hush);
document.addEventListener("DOMContentLoaded", () => {
  agree();
  detect();
  if (picker()) requestAnimationFrame(() => setTimeout(arrived));
});
