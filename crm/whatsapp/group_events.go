package whatsapp

import (
	"context"
	"maps"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// groupNews keeps what groups were when they were all listed from overtaking what was told
// of them meanwhile.
type groupNews struct {
	mu    sync.Mutex        // held while news is ingested
	count map[types.JID]int // guarded by mu: how often there was news of a group
}

// seen returns how often there was news of each group until now.
func (n *groupNews) seen() map[types.JID]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.count)
}

// add notes that there is news of a group which is stored in another way: what was changed
// here. It is called after WhatsApp's answer and before that is stored.
func (n *groupNews) add(j types.JID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count[j]++
}

// ingestGroup ingests news of a group.
func (s *session) ingestGroup(ctx context.Context, j types.JID, t crm.InboundBatch) (kept bool) {
	s.groupNews.mu.Lock()
	defer s.groupNews.mu.Unlock()
	s.groupNews.count[j]++
	return s.ingest(ctx, t)
}

// isGroup reports whether the rules accept the id of a group.
func isGroup(j types.JID) bool {
	_, err := crm.ParseChatID("", Type, chatID(j))
	return err == nil && j.Server == types.GroupServer
}

// self returns both ids of the account.
func self(cli *whatsmeow.Client) (own pair) {
	if id := cli.Store.ID; id != nil {
		own = pairOf(*id, cli.Store.GetLID())
	}
	return own
}

// joinedGroup ingests that the account is in a group now.
func (s *session) joinedGroup(ctx context.Context, cli *whatsmeow.Client, e *events.JoinedGroup) (kept bool) {
	setting := groupSetting(e.GroupEphemeral, time.Now())
	s.keepGroup(e.JID, knownGroup{name: e.GroupInfo.Name, mode: e.GroupInfo.AddressingMode, disappearing: setting})
	if !isGroup(e.JID) {
		return true
	}
	now := asked{s, ctx, cli}.group(&e.GroupInfo)
	t := crm.InboundBatch{Groups: []crm.InboundGroup{{ID: content.ID(now.ID), By: s.groupActor(ctx, cli, e.Sender, e.SenderPN, e.Notify), Now: &now, Joined: true}}}
	if chat, ok := groupChat(e.JID, e.GroupInfo.Name); ok {
		chat.Disappearing = setting
		t.Chats = []crm.InboundChat{chat}
	}
	return s.ingestGroup(ctx, e.JID, t)
}

// groupChanged ingests what somebody has changed in a group.
func (s *session) groupChanged(ctx context.Context, cli *whatsmeow.Client, e *events.GroupInfo) (kept bool) {
	if !isGroup(e.JID) {
		return true
	}
	when := sensible(e.Timestamp)
	in := crm.InboundGroup{
		ID: content.ID(chatID(e.JID)), By: s.groupActor(ctx, cli, e.Sender, e.SenderPN, e.Notify), Time: &when,
		Link: e.NewInviteLink, Deleted: e.Delete != nil && e.Delete.Deleted,
	}
	chat, known := crm.InboundChat{ID: in.ID, Type: "group"}, knownGroup{}
	if e.Name != nil {
		if named, ok := groupChat(e.JID, e.Name.Name); ok {
			chat.Name, known.name = named.Name, e.Name.Name
			in.Changes.Name = crm.Value(*named.Name)
		}
	}
	if e.Topic != nil {
		in.Changes.Description = crm.Value(groupTopic(e.Topic.Topic))
	}
	if e.Announce != nil {
		in.Changes.Announce = crm.Value(e.Announce.IsAnnounce)
	}
	if e.Locked != nil {
		in.Changes.Locked = crm.Value(e.Locked.IsLocked)
	}
	if e.Ephemeral != nil {
		if d := groupSetting(*e.Ephemeral, e.Timestamp); d != nil {
			chat.Disappearing, known.disappearing = d, d
			in.Changes.Ephemeral = crm.Value(d.After)
		}
	}
	for _, m := range []struct {
		what   crm.MemberChange
		people []types.JID
	}{{crm.MembersAdd, e.Join}, {crm.MembersRemove, e.Leave}, {crm.MembersPromote, e.Promote}, {crm.MembersDemote, e.Demote}} {
		if people := s.groupPeople(ctx, cli, m.people); len(people) > 0 {
			in.Members = append(in.Members, crm.InboundMembers{What: m.what, People: people})
		}
	}
	s.keepGroup(e.JID, known)
	t := crm.InboundBatch{Groups: []crm.InboundGroup{in}}
	if chat.Name != nil || chat.Disappearing != nil {
		t.Chats = []crm.InboundChat{chat}
	}
	return s.ingestGroup(ctx, e.JID, t)
}

// pictureChanged notes that a picture is another one, and ingests it of a group.
func (s *session) pictureChanged(ctx context.Context, cli *whatsmeow.Client, e *events.Picture) (kept bool) {
	s.wantNewPicture(ctx, cli, e.JID)
	if s.isOwn(cli, e.JID) {
		s.wantLooks(ctx, cli)
	}
	if !isGroup(e.JID) {
		return true
	}
	when, author := sensible(e.Timestamp), e.Author
	return s.ingestGroup(ctx, e.JID, crm.InboundBatch{Groups: []crm.InboundGroup{{
		ID: content.ID(chatID(e.JID)), By: s.groupActor(ctx, cli, &author, nil, ""), Time: &when, Picture: &e.PictureID,
	}}})
}

// groupActor returns who changed a group, or nil.
func (s *session) groupActor(ctx context.Context, cli *whatsmeow.Client, by, number *types.JID, name string) *crm.InboundUser {
	if by == nil {
		return nil
	}
	var alt types.JID
	if number != nil {
		alt = *number
	}
	who := s.person(ctx, cli, *by, alt)
	if who.id() == "" {
		return nil
	}
	return &crm.InboundUser{ID: content.ID(who.id()), Name: content.Name(name), Phone: phoneOf(who.PN)}
}

// groupPeople returns people as members of a group.
func (s *session) groupPeople(ctx context.Context, cli *whatsmeow.Client, people []types.JID) (members []crm.GroupMember) {
	own := self(cli)
	for _, j := range people {
		if p := s.person(ctx, cli, j, types.EmptyJID); p.id() != "" {
			members = append(members, crm.GroupMember{ID: p.id(), LID: hiddenOf(p), Phone: phoneOf(p.PN), Self: p.is(own)})
		}
	}
	return members
}
