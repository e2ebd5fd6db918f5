{
  all(doc, what) {
    const selector = what.startsWith('css:') ? what.slice(4) : '[data-testid="' + CSS.escape(what) + '"]';
    return [...doc.querySelectorAll(selector)].filter(e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}));
  },
  count(doc, what) { return this.all(doc, what).length; },
  seen(doc, what) { return this.count(doc, what) > 0; },
  unseen(doc, what) { return doc.readyState !== 'loading' && this.count(doc, what) === 0; },
  text(doc, what) { return this.all(doc, what)[0].innerText; },
  value(doc, what) { return this.all(doc, what)[0].value; },
  attribute(doc, what, name) { return this.all(doc, what)[0].getAttribute(name) || ''; },
  says(doc, what, text) { return this.all(doc, what).some(e => e.innerText.includes(text)); },
  lacks(doc, what, text) { return doc.readyState !== 'loading' && !this.says(doc, what, text); },
  said(doc) { return doc.body.innerText; },
  path(doc) { return doc.location.pathname + doc.location.search; },
  wider(doc) {
    const width = doc.defaultView.innerWidth;
    if (doc.documentElement.scrollWidth <= width) return '';
    return doc.documentElement.scrollWidth + ' pixels: ' + [...doc.querySelectorAll('body *')].filter(
      e => e.getBoundingClientRect().right > width + 1).slice(0, 4).map(e => e.cloneNode().outerHTML.slice(0, 120)).join(' ');
  },
  truth(doc, question) { return Boolean(question(doc)); },
  focused(doc, what) { return this.all(doc, what).includes(doc.activeElement); },
  focus(doc) { const e = doc.activeElement; return e.dataset.testid || e.id || e.tagName; },
  mark(doc, what) {
    const e = this.all(doc, what)[0];
    if (doc.activeElement !== e) return false;
    e.select();
    return true;
  },
  choose(doc, what, value) {
    const e = this.all(doc, what)[0];
    if (![...e.options].some(o => o.value === value)) return false;
    e.value = value;
    for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true}));
    return true;
  },
  place(doc, what) {
    const e = this.all(doc, what)[0];
    if (!e) return {X: 0, Y: 0, Why: 'there is none'};
    e.scrollIntoViewIfNeeded();
    const box = e.getClientRects()[0];
    let x = box.x + box.width / 2, y = box.y + box.height / 2;
    const met = doc.elementFromPoint(x, y);
    if (!e.contains(met)) return {X: x, Y: y, Why: met ? met.outerHTML.slice(0, 200) + ' lies over it' : 'it lies outside'};
    for (let frame = doc.defaultView.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
      const outer = frame.getBoundingClientRect();
      x += outer.x + frame.clientLeft; y += outer.y + frame.clientTop;
    }
    return {X: x, Y: y, Why: ''};
  },
  hasAxe(doc) { return Boolean(doc.defaultView.axe); },
  async axe(doc) {
    const found = await doc.defaultView.axe.run(doc, {resultTypes: ['violations'], iframes: false});
    return found.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').flatMap(v => v.nodes.slice(0, 5).map(
      n => v.impact + ' ' + v.id + ': ' + v.help + ': ' + n.target.join(' ') + ' ' + (n.failureSummary || '').replace(/\s+/g, ' ').slice(0, 300)));
  },
}
