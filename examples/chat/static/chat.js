"use strict";
// The page's own part: the stream, drafts, Enter, and where a tip stands.
(() => {
  const body = document.body, offline = document.getElementById("offline");
  const desk = matchMedia("(min-width: 901px) and (not (pointer: coarse))"); // with a keyboard
  let stream, wait = 1000;

  // A hidden page has no stream: browsers allow six at a time. When it is seen again, the
  // stream begins with "all".
  function connect() {
    if (stream || document.hidden) return;
    stream = new EventSource(body.dataset.live);
    stream.addEventListener("all", () => htmx.trigger(body, "live:all"));
    stream.addEventListener("rooms", () => htmx.trigger(body, "live:rooms"));
    stream.addEventListener("room", (e) => htmx.trigger(body, "live:room-" + e.data));
    stream.onopen = () => { offline.textContent = ""; wait = 1000; };
    stream.onerror = () => {
      offline.textContent = "Connecting again …";
      if (stream.readyState === EventSource.CLOSED) { stream = null; refused(); }
    };
  }
  // A stream that is refused does not say why. The same request does, and comes seldom.
  async function refused() {
    const asked = new AbortController();
    try {
      const answer = await fetch(body.dataset.live, { headers: { "HX-Request": "true" }, signal: asked.signal });
      if (!answer.ok) offline.textContent = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim();
    } catch { /* nobody answers */ }
    asked.abort();
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 60000);
  }
  function disconnect() {
    if (stream) stream.close();
    stream = null;
  }
  document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", connect);
  connect();

  // What is being typed stays over reloads and refusals, until it is sent.
  const text = document.querySelector("textarea[data-draft]");
  if (text) {
    const key = "draft " + text.dataset.draft;
    text.value = text.value || sessionStorage.getItem(key) || "";
    text.addEventListener("input", () => sessionStorage.setItem(key, text.value));
    for (const type of ["keydown", "keypress"]) {
      text.addEventListener(type, (e) => {
        if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
        e.preventDefault();
        if (type === "keydown" && !e.repeat) text.form.requestSubmit(); // the key that opened the room may still be down
      });
    }
    let sending = "";
    document.addEventListener("htmx:beforeRequest", (e) => { if (e.target === text.form) sending = text.value; });
    body.addEventListener("sent", () => {
      if (text.value === sending) text.value = "";
      sessionStorage.setItem(key, text.value);
      write();
    });

    // Who has opened a room writes there. Where it would bring a keyboard up over the
    // conversation, and where one cannot write, nothing has the focus.
    const write = () => {
      if (desk.matches && !document.querySelector("#send[aria-disabled]")) text.focus({ preventScroll: true });
    };
        if (document.activeElement === body && !location.hash) write();
  }

  // The whole conversation is put there anew with each change. A screen reader is told of
  // what is new in it, once.
  const spoken = document.getElementById("spoken"), heard = new Set();
  function hear(speak) {
    const fresh = [...document.querySelectorAll("#messages li[data-testid]")].filter((li) => !heard.has(li.dataset.testid));
    fresh.forEach((li) => heard.add(li.dataset.testid));
    if (!speak || !fresh.length) return;
    spoken.replaceChildren(...fresh.filter((li) => !li.classList.contains("mine")).map((li) => {
      const line = document.createElement("p"), text = li.cloneNode(true);
      text.querySelectorAll("time, .face").forEach((part) => part.remove());
      line.textContent = text.textContent.replace(/\s+/g, " ").trim();
      return line;
    }));
  }
  if (spoken) {
    hear(false);
    document.addEventListener("htmx:oobAfterSwap", () => hear(true));
  }

  // What is greyed can be reached and does nothing.
  document.addEventListener("click", (e) => {
    if (e.target.closest && e.target.closest("[aria-disabled=true]")) e.preventDefault();
  });

  // A tip stands beside its button, wherever that has been scrolled to. Escape hides it.
  function place(e) {
    const deed = e.target.closest && e.target.closest(".deed");
    if (!deed) return;
    const tip = deed.querySelector(".tip"), at = deed.getBoundingClientRect(), size = tip.getBoundingClientRect();
    tip.classList.remove("dismissed");
    tip.style.position = "fixed";
    tip.style.right = "auto";
    tip.style.left = Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8)) + "px";
    tip.style.top = (at.bottom + size.height + 4 > innerHeight ? Math.max(8, at.top - size.height - 4) : at.bottom + 4) + "px";
  }
  document.addEventListener("mouseover", place);
  document.addEventListener("focusin", place);
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") document.querySelectorAll(".tip").forEach((tip) => tip.classList.add("dismissed"));
  });

  // Where people are chosen, the caret is in the search, unless that brings up a keyboard.
  // Who is taken out of a choice takes the focus along: it goes there too, or to those who
  // are left.
  function choose() {
    const to = document.querySelector(desk.matches ? "#choice #q" : "#choice #chosen");
    if (to && document.activeElement === body) to.focus({ preventScroll: true });
  }
  if (desk.matches) choose();
  document.addEventListener("htmx:afterSettle", (e) => { if (e.target.id === "choice") choose(); });

  // A file can be dropped where one can be chosen.
  const drop = document.querySelector("form[data-drop]");
  if (drop) {
    const over = (on) => (e) => { e.preventDefault(); drop.classList.toggle("over", on); };
    drop.addEventListener("dragover", over(true));
    drop.addEventListener("dragleave", over(false));
    drop.addEventListener("drop", (e) => {
      over(false)(e);
      const input = drop.querySelector("input[type=file]");
      input.files = e.dataTransfer.files;
      if (input.files.length) drop.requestSubmit();
    });
  }
})();
