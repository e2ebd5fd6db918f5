"use strict";

// Long lists go on when their end is reached: the link to the next page is followed, and the
// rows of that page are put under those that are there.
(function () {
  const rows = document.querySelector("tbody[data-rows]");
  if (!rows || !("IntersectionObserver" in window)) return;
  let loading = false;

  async function more(link) {
    if (loading) return;
    loading = true;
    link.textContent = "Loading…";
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const list = page.querySelectorAll("tbody[data-rows] > tr");
      const next = page.querySelector("a.more");
      for (const row of list) rows.append(document.importNode(row, true));
      seen.unobserve(link);
      if (next && list.length) {
        link.href = next.href;
        link.textContent = "Show more";
        seen.observe(link);
      } else {
        link.replaceWith("That is all."); // in its place, so that nothing moves under a mouse
      }
    } catch (failed) {
      link.textContent = "This did not work. Try again";
    }
    loading = false;
  }

  const seen = new IntersectionObserver(function (entries) {
    for (const entry of entries) if (entry.isIntersecting) more(entry.target);
  }, { rootMargin: "400px" });
  const link = document.querySelector("a.more");
  if (!link) return;
  seen.observe(link);
  link.addEventListener("click", function (event) {
    event.preventDefault();
    more(link);
  });
})();

// The live feed puts each event on top. The browser connects again by itself, and the server
// goes on behind the last event that has come.
(function () {
  const rows = document.querySelector("tbody[data-stream]");
  if (!rows || !("EventSource" in window)) return;
  const most = 500;
  const state = document.querySelector("[data-live]");
  const source = new EventSource(rows.dataset.stream);
  function tell(text) {
    state.hidden = false;
    state.textContent = text;
  }
  source.onopen = function () { tell("Live."); };
  source.onerror = function () { tell("The connection is gone. Trying again…"); };
  source.addEventListener("end", function (event) {
    source.close();
    tell(event.data);
  });
  source.onmessage = function (event) {
    const part = document.createElement("template");
    part.innerHTML = event.data;
    rows.prepend(part.content);
    while (rows.children.length > most) rows.lastElementChild.remove();
  };
})();
