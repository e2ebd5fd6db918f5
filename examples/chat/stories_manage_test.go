package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
)

// TestStoryExternalSwitch: an administrator sees what follows of a switch before it is
// done, and both sides see it at once.
func TestStoryExternalSwitch(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	ben, kai := h.inRoom(w, "ben", cards), h.inRoom(w, "kai", cards)
	for _, p := range []*chromium.Page{ben, kai} {
		p.Forgive("status of 404", "Response Status Error Code 404")
	}
	kai.Fill("compose", "Typed when it happened")

	hana := h.tab(w, "/as/hana/admin")
	hana.Click("action-partner-kai")
	hana.SeeIn("says", "Kai Reyes")
	hana.Shows("rest")
	kai.Shows("person-ben")
	hana.Click("confirm")
	hana.SeeIn("account-kai", "may not")
	kai.SeeIn("gone", "EXT-22")
	require.Equal(t, "Typed when it happened", kai.Value("compose"))
	kai.Click("compose")
	kai.Press("Enter")
	kai.SeeIn("css:#compose-result", "EXT-22")
	ben.Lacks("person-kai")
	ben.Shows("person-jun")

	ann, jun := h.tab(w, "/as/ann/admin"), h.inRoom(w, "jun", cards)
	ann.Click("mode-partner-off")
	ann.Click("foresee-partner")
	ann.SeeIn("consequence-"+cards.String(), "Ben Lindqvist")
	ann.SeeIn("consequence-"+cards.String(), "nobody manages it")
	ann.Axe()
	ben.Shows("person-jun")
	ann.SeeIn("confirm", "Switch external messaging off")
	ann.Click("confirm")
	ben.SeeIn("gone", "EXT-22")
	jun.Lacks("person-ben")
	jun.Shows("person-ivo")
	say(jun, "Only we of Mill are left")
}

// TestStoryAdministratorOnly: others are told the rule, and whom to ask.
func TestStoryAdministratorOnly(t *testing.T) {
	h, w := story(t)
	cat := h.tab(w, "/as/cat/admin")
	cat.Forgive("status of 403")
	cat.SeeIn("error", "ADM-23")
	cat.See("Ann Okafor")
	cat.Axe()
}

func TestStoryAccounts(t *testing.T) {
	h, w := story(t)
	menu := h.room("gus", "Autumn menu")
	gus, eli := h.inRoom(w, "gus", menu), h.inRoom(w, "eli", menu)
	gus.Forgive("status of 404", "status of 403", "Response Status Error Code 40")
	ann := h.tab(w, "/as/ann/admin/accounts")
	ann.HoverSee("action-delete-ann", "tip-delete-ann", "ADM-16")
	ann.Click("action-delete-gus")
	ann.SeeIn("consequences", "Autumn menu")
	ann.SeeIn("consequences", "Gus Ferreira")
	eli.Shows("person-gus")
	ann.Click("confirm")
	ann.SeeIn("account-gus", "deleted")
	eli.Lacks("person-gus")
	gus.Lacks("person-eli")
	gus.Gone("Pumpkin")
}

// TestStorySettings: who saves a page that is no longer true is told what has changed, and
// loses nothing of what was typed.
func TestStorySettings(t *testing.T) {
	h, w := story(t)
	menu := h.room("eli", "Autumn menu")
	cat := h.inRoom(w, "cat", menu)
	one, two := h.tab(w, at("eli", menu)+"/settings"), h.tab(w, at("eli", menu)+"/settings")
	two.Forgive("status of 409")
	two.Fill("set-description", "Eight dishes")
	one.Fill("set-name", "Winter menu")
	one.Click("save")
	one.Shows("done")
	cat.SeeIn("css:#room-head", "Winter menu")
	cat.SeeIn("room-"+menu.String(), "Winter menu")
	two.Click("save")
	two.SeeIn("meanwhile", "Winter menu")
	require.Equal(t, "Eight dishes", two.Value("set-description"))
	two.Axe()
	two.Click("save")
	two.Shows("done")
	require.Equal(t, "Winter menu", two.Value("set-name"))
	require.Equal(t, "Eight dishes", two.Value("set-description"))

	cat.Click("action-settings")
	cat.HoverSee("action-rename", "tip-rename", string(h.denied("cat", roomkit.ActionRename, menu).Rule))
	cat.Axe()
}

// TestStoryMasters: the role goes from one to another, and each sees at once what may
// be done.
func TestStoryMasters(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	ben, cat := h.tab(w, at("ben", cards)+"/masters"), h.inRoom(w, "cat", cards)
	require.Equal(t, "true", cat.Attribute("action-remove-jun", "aria-disabled"))
	ben.Axe()
	ben.HoverSee("action-dismiss-ben", "tip-dismiss-ben", "EXT-27")
	ben.Away()
	ben.HoverSee("action-appoint-jun", "tip-appoint-jun", "EXT-29")
	ben.Away()
	ben.Choose("hand-over-to", "cat")
	ben.Click("action-hand-over")
	ben.Shows("master-cat")
	ben.Lacks("master-ben")
	cat.True("a button to remove", "doc => doc.querySelector('[data-testid=action-remove-jun]').getAttribute('aria-disabled') !== 'true'")
	ben.Go(h.url + at("ben", cards))
	ben.HoverSee("action-remove-jun", "tip-remove-jun", string(h.denied("ben", roomkit.ActionRemove, cards).Rule))
	removing(cat, "ben")
	ben.Forgive("status of 404", "Response Status Error Code 404")
	ben.SeeIn("gone", "EXT-20")
	ben.SeeIn("gone", "Cat Moreau")
}

// TestStoryOpenSettings: an open page of settings hears that the room is another, and goes
// to the reason when it is gone.
func TestStoryOpenSettings(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	kai, ben := h.tab(w, at("kai", cards)+"/settings"), h.inRoom(w, "ben", cards)
	kai.Forgive("status of 404", "Response Status Error Code 404")
	removing(ben, "jun")
	kai.SeeIn("changed", "has changed")
	ben.Go(h.url + at("ben", cards))
	removing(ben, "kai")
	kai.SeeIn("error", "EXT-20")
	kai.Lacks("person-ben")
}

// TestStoryTeams: an administrator makes a team with people whom a search finds, grants it
// a room, and moves somebody; both sides see it at once.
func TestStoryTeams(t *testing.T) {
	h, w := story(t)
	sales, kitchen := h.room("dev", "Sales"), h.room("eli", "Kitchen")
	dev, eli := h.inRoom(w, "dev", sales), h.inRoom(w, "eli", kitchen)
	dev.Forgive("status of 404", "Response Status Error Code 404")
	ann := h.tab(w, "/as/ann/admin/teams")
	ann.Click("new-team")
	ann.Fill("team-id", "my van")
	ann.Fill("team-name", "Drivers")
	ann.Choose("team-leader", "gus")
	ann.Click("in-team-gus")
	ann.Fill("search", "fay")
	ann.Lacks("in-team-gus")
	ann.TabTo("in-team-fay", 5)
	ann.Press("Space")
	ann.Fill("search", "zz")
	ann.Lacks("in-team-fay")
	ann.Forgive("status of 400")
	ann.Click("foresee-team")
	ann.SeeIn("error", "not an id")
	ann.True("the focus", "doc => doc.activeElement.id === 'team-id'")
	require.Equal(t, "Drivers", ann.Value("team-name"))
	ann.Axe()
	ann.Width(380)
	fits(t, ann)
	ann.Width(1280)
	ann.Fill("team-id", "van")
	ann.Click("foresee-team")
	ann.SeeIn("says", "led by Gus Ferreira: Fay Nakamura, Gus Ferreira")
	ann.Click("cancel")
	ann.Shows("in-team-fay")
	ann.True("all that was typed is there again", "doc => doc.querySelector('[data-testid=in-team-fay]').checked && doc.querySelector('[data-testid=team-id]').value === 'van'")
	ann.Click("foresee-team")
	ann.Click("confirm")
	ann.SeeIn("css:h2", "Drivers")
	ann.Click("grant-room")
	ann.Click("foresee-grants")
	ann.Click("confirm")
	ann.SeeIn("team-van", "Gus Ferreira")

	ann.Click("edit-team-sales")
	ann.Choose("move-who", "dev")
	ann.Choose("move-to", "kitchen")
	ann.Axe()
	ann.Click("foresee-move")
	ann.SeeIn("css:main", "Out of Sales go: Dev Patel")
	ann.SeeIn("css:main", "Into Kitchen come: Dev Patel")
	ann.Axe()
	eli.Lacks("person-dev")
	ann.Click("confirm")
	eli.Shows("person-dev")
	dev.SeeIn("gone", "TEAM-05")
	dev.Shows("room-" + kitchen.String())
}

// TestStoryFindMaster: somebody outside the room is found by typing, and the keyboard goes
// on from there.
func TestStoryFindMaster(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	ben := h.tab(w, at("ben", cards)+"/masters")
	ben.Shows("action-appoint-cat")
	ben.Click("search")
	ben.Type("pat")
	ben.Lacks("action-appoint-cat")
	require.Equal(t, "search", ben.Focus())
	ben.SeeIn("css:#found", "they read nothing")
	ben.Axe()
	ben.Press("Enter")
	ben.Shows("action-appoint-dev")
	ben.TabTo("action-appoint-dev", 3)
	ben.Press("Enter")
	ben.SeeIn("master-dev", "takes no part")
	ben.Shows("action-appoint-cat")
}

// TestStoryEvenly: on the first page no name is broken while there is room beside it, and
// at touch size what a button says is in its middle, be it a link or greyed.
func TestStoryEvenly(t *testing.T) {
	h, w := story(t)
	ben := h.home(w, "ben")
	ben.Go(h.url + "/")
	ben.True("names on one line, boxes below each other", `doc => {
		const names = [...doc.querySelectorAll(".pick strong")].every(e => e.getClientRects().length === 1);
		const lefts = [...doc.querySelectorAll("section:first-of-type input")].map(e => Math.round(e.getBoundingClientRect().left));
		return names && lefts.length > 1 && new Set(lefts).size === 1;
	}`)
	ben.Go(h.url + "/as/ben/rooms/" + h.room("ben", "Menu cards").String() + "?show=people")
	ben.Width(380)
	ben.Shows("person-jun")
	ben.True("labels in the middle", `doc => [...doc.querySelectorAll("a.button, button.button")].filter(e => e.offsetParent).every(e => {
		const range = doc.createRange(), box = e.getBoundingClientRect();
		range.selectNodeContents(e.querySelector("[aria-hidden]") || e);
		const text = range.getBoundingClientRect();
		return Math.abs((text.top + text.bottom) - (box.top + box.bottom)) < 6;
	})`)
}
