package crm

import (
	"cmp"
	"slices"
)

// groupState is a group as it was when we last heard of it.
type groupState struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Announce    bool          `json:"announce"`
	Locked      bool          `json:"locked"`
	Ephemeral   int64         `json:"ephemeral"`
	Picture     *string       `json:"picture"` // its id; empty: none; null: not known
	Link        string        `json:"link"`    // a hash of the last new one; empty: none was made
	Members     []groupPerson `json:"members"`
}

// groupPerson is a member of a group.
type groupPerson struct {
	ID    string  `json:"id"`
	LID   *string `json:"lid,omitempty"`
	Phone *string `json:"phone,omitempty"`
	Role  string  `json:"role"`
	Self  bool    `json:"self,omitempty"` // the line's account
}

// groupChange is one thing that happened to a group.
type groupChange struct {
	typ     string
	members []GroupMember
}

func person(m GroupMember) groupPerson {
	return groupPerson{ID: m.ID, LID: m.LID, Phone: m.Phone, Role: cmp.Or(m.Role, MemberOrdinary), Self: m.Self}
}

func (p groupPerson) member() GroupMember {
	return GroupMember{ID: p.ID, LID: p.LID, Phone: p.Phone, Role: p.Role, Self: p.Self}
}

// is reports whether two members are one person, by either of their ids.
func (p groupPerson) is(o groupPerson) bool {
	lid := func(a *string, id string) bool { return a != nil && *a == id }
	return p.ID == o.ID || lid(p.LID, o.ID) || lid(o.LID, p.ID) || p.LID != nil && lid(o.LID, *p.LID)
}

func (g *groupState) find(p groupPerson) int {
	return slices.IndexFunc(g.Members, p.is)
}

// inside returns the member that is the line's account, or nil.
func (g *groupState) inside() *groupPerson {
	if i := slices.IndexFunc(g.Members, func(p groupPerson) bool { return p.Self }); i >= 0 {
		return &g.Members[i]
	}
	return nil
}

func (g *groupState) card() *GroupCard {
	card := &GroupCard{Name: g.Name, Description: g.Description, Announce: g.Announce, Locked: g.Locked, Ephemeral: g.Ephemeral, Size: len(g.Members)}
	if self := g.inside(); self != nil {
		card.Role = &self.Role
	}
	return card
}

// joined adds what the messenger tells of a group that the account has joined.
func (k *GroupCard) joined(now *Group, st *groupState) {
	if now == nil {
		return
	}
	k.OwnerID, k.CreatedAt = now.OwnerID, now.CreatedAt
	if len(st.Members) > maxTold {
		return
	}
	for _, p := range st.Members {
		k.Members = append(k.Members, p.member())
	}
}

// stateOf returns the state of a group that the messenger has described.
func stateOf(g *Group) *groupState {
	st := &groupState{Name: g.Name, Description: g.Description, Announce: g.Announce, Locked: g.Locked, Ephemeral: g.Ephemeral, Members: []groupPerson{}}
	for _, m := range g.Members {
		st.Members = append(st.Members, person(m))
	}
	return st
}

// become makes g what the messenger describes now, and returns what has changed.
func (g *groupState) become(now *Group) (changes []groupChange) {
	changes = g.change(GroupChanges{
		Name: Value(now.Name), Description: Value(now.Description), Announce: Value(now.Announce), Locked: Value(now.Locked), Ephemeral: Value(now.Ephemeral),
	})
	were := g.Members
	g.Members = stateOf(now).Members
	var added, removed, raised, lowered []GroupMember
	for _, p := range g.Members {
		switch i := slices.IndexFunc(were, p.is); {
		case i < 0:
			added = append(added, p.member())
		case rank(p.Role) > rank(were[i].Role):
			raised = append(raised, p.member())
		case rank(p.Role) < rank(were[i].Role):
			lowered = append(lowered, p.member())
		}
	}
	for _, p := range were {
		if g.find(p) < 0 {
			removed = append(removed, p.member())
		}
	}
	for _, ch := range []groupChange{{GroupAdd, added}, {GroupRemove, removed}, {GroupPromote, raised}, {GroupDemote, lowered}} {
		if len(ch.members) > 0 {
			changes = append(changes, ch)
		}
	}
	return changes
}

func rank(role string) int {
	return slices.Index([]string{MemberOrdinary, MemberAdmin, MemberOwner}, role)
}

// change applies changes of a group's data, and returns those that change something.
func (g *groupState) change(ch GroupChanges) (changes []groupChange) {
	note := func(changed bool, typ string) {
		if changed {
			changes = append(changes, groupChange{typ: typ})
		}
	}
	note(into(&g.Name, ch.Name), GroupName)
	note(into(&g.Description, ch.Description), GroupDescription)
	note(into(&g.Announce, ch.Announce), GroupAnnounce)
	note(into(&g.Locked, ch.Locked), GroupLocked)
	note(into(&g.Ephemeral, ch.Ephemeral), GroupEphemeral)
	return changes
}

// move applies one change of members, and returns those for whom it changes something.
func (g *groupState) move(what MemberChange, people []GroupMember) (moved []GroupMember) {
	for _, m := range people {
		p := person(m)
		i := g.find(p)
		if (i < 0) != (what == MembersAdd) {
			continue
		}
		if what == MembersAdd {
			p.Role = MemberOrdinary
			g.Members = append(g.Members, p)
			moved = append(moved, p.member())
			continue
		}
		if what == MembersRemove {
			moved = append(moved, g.Members[i].member())
			g.Members = slices.Delete(g.Members, i, i+1)
			continue
		}
		role := MemberAdmin
		if what == MembersDemote {
			role = MemberOrdinary
		}
		if is := rank(g.Members[i].Role); what == MembersPromote && is < rank(role) || what == MembersDemote && is > rank(role) {
			g.Members[i].Role = role
			moved = append(moved, g.Members[i].member())
		}
	}
	return moved
}
