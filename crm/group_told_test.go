package crm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

const neighbours = "120363000000000001@g.us"

// groupTold returns the events about groups after the mark: what, of whom, who did it, and
// the group afterwards.
func groupTold(t *testing.T, w *crmtest.World, mark int64) (told []string) {
	t.Helper()
	for _, ev := range w.EventsAfter(t, mark) {
		if ev.Name != crm.EventChatGroup {
			told = append(told, ev.Name)
			continue
		}
		item, text := crmtest.GroupChange(t, ev.Items(t)[0])
		if item.Group == nil {
			text += ": not known"
		} else if item.Group.Role == nil {
			text += ": not in it"
		} else {
			text += fmt.Sprintf(": %s, %d, %s", item.Group.Name, item.Group.Size, *item.Group.Role)
		}
		told = append(told, text)
	}
	return told
}

func member(number, role string) crm.GroupMember {
	return crm.GroupMember{ID: number + "@c.us", Phone: &number, Role: role, Self: number == "79990001122"}
}

// TestGroupsAreTold brings news of a group in every form, and again: each change is told
// once, what was there before is not told, and what was missed is found in the list.
func TestGroupsAreTold(t *testing.T) {
	const self, ann, bob = "79990001122", "79990003344", "79990005566"
	group := func(name string, members ...crm.GroupMember) *crm.Group {
		return &crm.Group{ID: neighbours, Name: name, Members: members}
	}
	by := &crm.InboundUser{ID: idOf(ann + "@c.us"), Name: "Ann"}
	is := func(g *crm.Group) crm.InboundBatch {
		return crm.InboundBatch{Groups: []crm.InboundGroup{{ID: idOf(neighbours), Now: g}}, AllGroups: []crm.ID{idOf(neighbours)}}
	}
	does := func(in crm.InboundGroup) crm.InboundBatch {
		in.ID, in.By = idOf(neighbours), by
		return crm.InboundBatch{Groups: []crm.InboundGroup{in}}
	}
	moved := func(what crm.MemberChange, who ...string) crm.InboundBatch {
		m := crm.InboundMembers{What: what}
		for _, number := range who {
			m.People = append(m.People, member(number, ""))
		}
		return does(crm.InboundGroup{Members: []crm.InboundMembers{m}})
	}
	name, link, picture, none := crm.GroupChanges{Name: crm.Value("Friends")}, "https://chat.whatsapp.com/AbCdEfGhIjKl", "1", ""
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		for _, step := range []struct {
			what string
			news crm.InboundBatch
			want string
		}{
			{"news before the list", does(crm.InboundGroup{Changes: name}), "name by Ann: not known"},
			{"the first list", is(group("Club", member(self, crm.MemberAdmin), member(ann, crm.MemberOwner))), ""},
			{"a name", does(crm.InboundGroup{Changes: name}), "name by Ann: Friends, 2, admin"},
			{"members", moved(crm.MembersAdd, ann, bob), "add 79990005566 by Ann: Friends, 3, admin"},
			{"an admin", moved(crm.MembersPromote, bob, ann), "promote 79990005566 by Ann: Friends, 3, admin"},
			{"no admin", moved(crm.MembersDemote, self), "demote 79990001122 by Ann: Friends, 3, member"},
			{"a picture", does(crm.InboundGroup{Picture: &picture}), "picture by Ann: Friends, 3, member"},
			{"no picture", does(crm.InboundGroup{Picture: &none}), "picture by Ann: Friends, 3, member"},
			{"a link", does(crm.InboundGroup{Link: &link}), "link by Ann: Friends, 3, member"},
			{"several", does(crm.InboundGroup{Changes: crm.GroupChanges{Announce: crm.Value(true), Locked: crm.Value(true), Ephemeral: crm.Value[int64](86400), Description: crm.Value("x")}}),
				"description by Ann: Friends, 3, member; announce by Ann: Friends, 3, member; locked by Ann: Friends, 3, member; ephemeral by Ann: Friends, 3, member"},
			{"what was missed", is(&crm.Group{ID: neighbours, Name: "Foes", Announce: true, Locked: true, Ephemeral: 86400, Description: "x", Members: []crm.GroupMember{
				member(ann, crm.MemberOwner), member(self, crm.MemberAdmin), member("79990007788", "")}}),
				"name: Foes, 3, admin; add 79990007788: Foes, 3, admin; remove 79990005566: Foes, 3, admin; promote 79990001122: Foes, 3, admin"},
			{"the account removed with another", moved(crm.MembersRemove, "79990007788", self), "remove 79990007788 by Ann: not in it; leave 79990001122 by Ann: not in it"},
			{"news of a group of others", does(crm.InboundGroup{Changes: name}), ""},
			{"the account added", does(crm.InboundGroup{Now: group("Foes", member(self, "")), Joined: true}), "join 79990001122 by Ann: Foes, 1, member"},
			{"another list", crm.InboundBatch{AllGroups: []crm.ID{}}, "leave 79990001122: not in it"},
			{"found in the list", is(group("Foes", member(self, ""))), "join 79990001122: Foes, 1, member"},
			{"the end", does(crm.InboundGroup{Deleted: true}), "delete by Ann: not in it"},
		} {
			for _, again := range []string{"", " again"} {
				mark, want := w.Mark(t), step.want
				ingest(t, w, step.news)
				if again != "" && !strings.HasSuffix(want, "not known") {
					want = ""
				}
				if got := strings.Join(groupTold(t, w, mark), "; "); got != want {
					t.Errorf("%s%s: %s\nwant %s", step.what, again, got, want)
				}
			}
		}
	})
}

// TestGroupsOfAnotherAccountAreNotTold pairs a line with another account, whose groups are
// others: that is not told as if people had left.
func TestGroupsOfAnotherAccountAreNotTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		pair := func(phone string) {
			device := phone + ":1@s.whatsapp.net"
			if err := w.SetLineState(t.Context(), onGr, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone}); err != nil {
				t.Fatal(err)
			}
		}
		list := func(id string, members ...crm.GroupMember) {
			ingest(t, w, crm.InboundBatch{Groups: []crm.InboundGroup{{ID: idOf(id), Now: &crm.Group{ID: id, Name: "Club", Members: members}}}, AllGroups: []crm.ID{idOf(id)}})
		}
		pair("79990001122")
		mark := w.Mark(t)
		list(neighbours, member("79990001122", ""))
		pair("79990009900")
		other := member("79990009900", "")
		other.Self = true
		list("120363000000000002@g.us", other)
		if got := slices.DeleteFunc(groupTold(t, w, mark), func(text string) bool { return text == "messengerStatus" }); len(got) > 0 {
			t.Errorf("told %q", got)
		}
	})
}

// TestGroupEventsReachWhoMaySee checks that the news of a group whose chat another has
// does not reach an operator who sees only their own chats.
func TestGroupEventsReachWhoMaySee(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		say := func(id string) crmtest.Event {
			mark := w.Mark(t)
			ingest(t, w, crm.InboundBatch{Groups: []crm.InboundGroup{{ID: idOf(id), Changes: crm.GroupChanges{Locked: crm.Value(true)}}}})
			return w.EventsAfter(t, mark)[0]
		}
		putChat(t, w, whatsApp, neighbours, ofUser(w.Operator.UserID), func(c *models.Chat) { c.Type = models.ChatGroup })
		const own = "private-v1.companies.2224.users.689"
		if ev := say(neighbours); slices.Contains(ev.Channels, own) || !slices.Contains(ev.Channels, "private-v1.companies.2224.users.687") {
			t.Errorf("of a colleague's chat: on %q", ev.Channels)
		}
		if ev := say("120363000000000002@g.us"); !slices.Contains(ev.Channels, own) {
			t.Errorf("of a group without a chat: on %q", ev.Channels)
		}
	})
}
