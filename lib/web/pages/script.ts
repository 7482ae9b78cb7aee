/**
 * The script of the pages: keeps a page fresh by fetching it again, when its live stream says that something happened
 * and now and then in any case, and swaps the parts that changed. The fresh page also names the stream to follow from
 * then on. Without it every page is whole and shows how things stood when it was loaded.
 *
 * A browser opens six connections to one place over HTTP/1.1, and a stream is one of them: hidden pages have none.
 */
export const SCRIPT = `
(() => {
  const SELECTOR = "[data-live]", KEPT = "a,[tabindex]";
  const root = document.documentElement;
  if (!document.querySelector(SELECTOR)) return;
  let due = 0, busy = false, again = false, fetched = Date.now();
  let source = null, followed = "", reopen = 0, wait = 2000;
  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    fetched = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      // Its style has the nonce of another answer and would be refused; this page has the same one.
      const text = (await answer.text()).replace(/<style[^]*?<\\/style>/, "");
      const fresh = new DOMParser().parseFromString(text, "text/html");
      for (const part of document.querySelectorAll(SELECTOR)) {
        const next = fresh.getElementById(part.id);
        if (next && part.innerHTML !== next.innerHTML) swap(part, document.adoptNode(next));
      }
      document.title = fresh.title;
      root.dataset.stream = fresh.documentElement.dataset.stream ?? "";
      follow();
    } catch { /* the next event or tick tries again */ } finally {
      busy = false;
      if (again) { again = false; schedule(); }
    }
  }
  // Where somebody stands with the keyboard, and how far a table is scrolled, stays.
  function swap(part, next) {
    const at = [...part.querySelectorAll(KEPT)].indexOf(document.activeElement);
    const scrolled = [...part.querySelectorAll(".scroll")].map((table) => table.scrollLeft);
    part.replaceChildren(...next.childNodes);
    part.querySelectorAll(".scroll").forEach((table, n) => table.scrollLeft = scrolled[n] ?? 0);
    if (at >= 0) part.querySelectorAll(KEPT)[at]?.focus({ preventScroll: true });
  }
  function schedule() {
    if (due || document.hidden) return;
    due = setTimeout(() => { due = 0; refresh(); }, 1500);
  }
  function follow() {
    const wanted = document.hidden ? "" : root.dataset.stream ?? "";
    if (wanted === followed) return;
    leave();
    followed = wanted;
    if (wanted) open();
  }
  function leave() {
    clearTimeout(reopen);
    source?.close();
    source = null;
    followed = "";
    wait = 2000;
  }
  function open() {
    source = new EventSource(followed);
    for (const name of ["progress", "event", "alerts", "reset"]) source.addEventListener(name, schedule);
    source.addEventListener("open", () => wait = 2000);
    source.addEventListener("error", () => {
      // A connection that drops it opens again by itself, an answer other than 200 it takes for the last word.
      if (source?.readyState !== EventSource.CLOSED) return;
      reopen = setTimeout(open, wait);
      wait = Math.min(wait * 2, 60000);
    });
  }
  function look() {
    follow();
    const every = Number(root.dataset.every) || (source?.readyState === EventSource.OPEN ? 30000 : 10000);
    if (Date.now() - fetched >= every) schedule();
  }
  setInterval(look, 2000);
  document.addEventListener("visibilitychange", () => { follow(); schedule(); });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) { follow(); schedule(); } });
  follow();
})();`;
