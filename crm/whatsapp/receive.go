package whatsapp

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// message ingests a message, an edit or a deletion.
func (s *session) message(ctx context.Context, cli *whatsmeow.Client, e *events.Message) (kept bool) {
	m := content.Unwrap(e.Message)
	if n := m.GetProtocolMessage().GetHistorySyncNotification(); n != nil && e.Info.IsFromMe {
		return s.pastArrived(ctx, e.Info.ID, n)
	}
	switch {
	case isStatus(&e.Info):
		return s.statusPost(ctx, cli, e, m)
	case e.Info.Chat.Server == types.NewsletterServer:
		return s.channelPost(ctx, cli, e, m)
	case !s.ours(&e.Info):
		return true
	}
	if id := refersTo(m); id != "" && !s.past.isOver() {
		s.awaitPast(ctx, s.chat(ctx, cli, &e.Info).ID.String(), id)
	}
	if p := s.decryptEdit(ctx, cli, e, m); p != nil {
		return s.protocol(ctx, cli, &e.Info, p)
	}
	if p := m.GetProtocolMessage(); p != nil {
		return s.protocol(ctx, cli, &e.Info, p)
	}
	what := content.Translate(s.decryptReaction(ctx, cli, e, m))
	if what == nil {
		return true
	}
	s.decryptVote(ctx, cli, e, what)
	if e.IsViewOnce && what.Subtype == "" {
		what.Subtype = "viewOnce"
	}
	in := s.envelope(ctx, cli, &e.Info, what)
	s.attach(ctx, cli, &in, what.Media)
	if !s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(&e.Info), Messages: []crm.InboundMessage{in}}) {
		return false
	}
	if in.Remote != nil {
		notify(s.fetch)
	}
	s.readAtOnce(cli, e.Info)
	s.pictures.want(in.Chat.ID.String(), false)
	return true
}

// ours reports whether a message has a valid id and is in a chat that people write in.
func (s *session) ours(info *types.MessageInfo) bool {
	if !fitsID(info.ID) {
		s.log.Warn("a message has an id that cannot be kept", "length", len(info.ID))
		return false
	}
	switch info.Chat.Server {
	case types.DefaultUserServer, types.LegacyUserServer, types.HiddenUserServer, types.GroupServer:
		return info.Chat.User != "" && info.Category != "peer"
	case types.BroadcastServer:
		return info.IsIncomingBroadcast() && info.Chat != types.StatusBroadcastJID && !info.IsFromMe
	}
	return false
}

// protocol ingests a deletion or an edit of another message, or a setting of the chat. Other protocol messages are
// between devices and are ignored.
func (s *session) protocol(ctx context.Context, cli *whatsmeow.Client, info *types.MessageInfo, p *waE2E.ProtocolMessage) (kept bool) {
	id := p.GetKey().GetID()
	if p.GetType() == waE2E.ProtocolMessage_EPHEMERAL_SETTING {
		return s.disappearingSet(ctx, cli, info, p)
	}
	if id == "" {
		return true
	}
	chat, by := s.chat(ctx, cli, info), s.person(ctx, cli, info.Sender, info.SenderAlt)
	when := info.Timestamp.Unix()
	switch p.GetType() {
	case waE2E.ProtocolMessage_REVOKE:
		return s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(info), Deletes: []crm.InboundDelete{{
			ID: content.ID(id), Chat: chat, FromMe: info.IsFromMe, By: content.ID(by.id()), Admin: info.Edit == types.EditAttributeAdminRevoke, Time: &when,
		}}})
	case waE2E.ProtocolMessage_MESSAGE_EDIT:
		now := content.Translate(p.GetEditedMessage())
		if now == nil {
			return true
		}
		now.Content.Mentions = s.mentions(ctx, cli, now)
		return s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(info), Edits: []crm.InboundEdit{{
			ID: content.ID(id), Chat: chat, FromMe: info.IsFromMe, By: content.ID(by.id()), Type: now.Type, Message: now.Content, Time: &when,
		}}})
	}
	return true
}

// unreadable ingests a placeholder for a message that could not be decrypted. whatsmeow
// asks the sender for the message again, which then arrives under the same id.
func (s *session) unreadable(ctx context.Context, cli *whatsmeow.Client, e *events.UndecryptableMessage) (kept bool) {
	if e.DecryptFailMode == events.DecryptFailHide || !s.ours(&e.Info) || ctx.Err() != nil {
		return ctx.Err() == nil
	}
	what := &content.Content{Type: content.TypeUnknown, Subtype: crm.SubtypeUndecryptable}
	if e.UnavailableType == events.UnavailableTypeViewOnce {
		what.Subtype = crm.SubtypeViewOnce // the phone is asked for a copy, and may have none
	}
	in := s.envelope(ctx, cli, &e.Info, what)
	return s.ingest(ctx, crm.InboundBatch{Aliases: s.aliases(&e.Info), Messages: []crm.InboundMessage{in}})
}

// envelope returns a message with its chat, sender and time.
func (s *session) envelope(ctx context.Context, cli *whatsmeow.Client, info *types.MessageInfo, what *content.Content) crm.InboundMessage {
	when := sensible(info.Timestamp)
	in := crm.InboundMessage{
		ID: content.ID(info.ID), Chat: s.chat(ctx, cli, info), FromMe: info.IsFromMe, Time: &when, Type: what.Type,
		Message: what.Content, IsForwarded: what.Forwarded(), UTM: what.UTM(), Aside: what.Aside(),
	}
	in.Message.Mentions = s.mentions(ctx, cli, what)
	in.Message.Addressing = addressing(info)
	if d := messageSetting(info, what.Context); d != nil {
		in.Chat.Disappearing = d
	}
	if what.Subtype != "" {
		in.Subtype = &what.Subtype
	}
	if q := what.Quoted(); fitsID(q) {
		id := content.ID(q)
		in.QuotedMessageID = &id
		in.Quote = s.quote(ctx, cli, info, what)
	}
	who := s.person(ctx, cli, info.Sender, info.SenderAlt)
	in.FromUser = &crm.InboundUser{ID: content.ID(who.id()), Name: content.Name(info.PushName), Phone: phoneOf(who.PN), LID: who.lid()}
	if info.IsFromMe {
		in.FromUser.Name = content.Name(s.ownName())
	}
	return in
}

// addressing returns how a message names people. One that does not say so shows it by its sender.
func addressing(info *types.MessageInfo) string {
	switch mode := string(info.AddressingMode); {
	case mode == crm.AddressingPhone || mode == crm.AddressingHidden:
		return mode
	case info.Sender.Server == types.HiddenUserServer:
		return crm.AddressingHidden
	}
	return crm.AddressingPhone
}

// quote returns what a message tells of the message that it answers, or nil.
func (s *session) quote(ctx context.Context, cli *whatsmeow.Client, info *types.MessageInfo, what *content.Content) *crm.Quote {
	q := what.Quote()
	if q == nil {
		return nil
	}
	by, err := types.ParseJID(what.Context.GetParticipant())
	if err != nil || !hiddenForm.MatchString(by.User) {
		return q // untrusted input: only numbers are looked up in the database
	}
	who := s.person(ctx, cli, by, types.EmptyJID)
	if who.id() == "" {
		return q
	}
	ours := who.PN.User == cli.Store.GetJID().User || !who.LID.IsEmpty() && who.LID.User == cli.Store.GetLID().User
	q.FromMe, q.FromUser = &ours, &crm.InboundUser{ID: content.ID(who.id()), Phone: phoneOf(who.PN), LID: who.lid()}
	if ours {
		q.FromUser.Name = content.Name(s.ownName())
	} else if who.id() == s.person(ctx, cli, info.Sender, info.SenderAlt).id() {
		q.FromUser.Name = content.Name(info.PushName)
	} else {
		q.FromUser.Name = s.chosenName(ctx, cli, who)
	}
	return q
}

// mentions returns the people that a message mentions, with both ids as far as they are
// known. It skips ids that are not of people.
func (s *session) mentions(ctx context.Context, cli *whatsmeow.Client, what *content.Content) (all []crm.Mention) {
	for _, text := range what.Context.GetMentionedJID() {
		j, err := types.ParseJID(text)
		if err != nil || !hiddenForm.MatchString(j.User) || len(all) == crm.MaxMentions {
			continue // untrusted input: only numbers are looked up in the database
		}
		who := s.person(ctx, cli, j, types.EmptyJID)
		phone, lid := phoneOf(who.PN), chatID(who.LID)
		switch known := isLID(who.LID); {
		case phone != nil && known:
			all = append(all, crm.Mention{ID: content.ID(chatID(who.PN)), Phone: phone, LID: &lid})
		case phone != nil:
			all = append(all, crm.Mention{ID: content.ID(chatID(who.PN)), Phone: phone})
		case known:
			all = append(all, crm.Mention{ID: content.ID(lid)})
		}
	}
	return all
}

// sensible returns t in Unix seconds, or the current time when the rules would not accept
// t: WhatsApp's clock and ours may differ.
func sensible(t time.Time) int64 {
	now := time.Now().Unix()
	if sec := t.Unix(); sec > 0 && sec <= now+60 {
		return sec
	}
	return now
}

// fitsID reports whether the rules can store an id.
func fitsID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c >= 0x7f || c == '/' || c == '\\' || c == '?' || c == '#' || c == '%' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// chat returns the chat of a message, with both ids of a private chat when they are
// known.
func (s *session) chat(ctx context.Context, cli *whatsmeow.Client, info *types.MessageInfo) crm.InboundChat {
	if info.Chat.Server == types.GroupServer {
		s.keepGroup(info.Chat, knownGroup{mode: info.AddressingMode})
		return crm.InboundChat{ID: content.ID(chatID(info.Chat)), Type: "group", Name: s.groupName(ctx, cli, info.Chat), Disappearing: s.group(ctx, cli, info.Chat).disappearing}
	}
	who := s.person(ctx, cli, info.Chat, info.RecipientAlt)
	if info.Chat.Server == types.BroadcastServer || !info.IsFromMe {
		who = s.person(ctx, cli, info.Sender, info.SenderAlt)
	}
	chat := who.chat()
	chat.KnownAs = s.savedName(ctx, cli, who)
	return chat
}

// person returns both ids of a person as far as they are known: alt comes with the
// message, and a missing id is looked up in whatsmeow's store.
func (s *session) person(ctx context.Context, cli *whatsmeow.Client, j, alt types.JID) pair {
	p := pairOf(j, alt)
	if p.PN.IsEmpty() && !p.LID.IsEmpty() {
		if pn, err := cli.Store.LIDs.GetPNForLID(ctx, p.LID); err == nil {
			p.PN = pn.ToNonAD()
		}
	} else if p.LID.IsEmpty() && !p.PN.IsEmpty() {
		if lid, err := cli.Store.LIDs.GetLIDForPN(ctx, p.PN); err == nil {
			p.LID = lid.ToNonAD()
		}
	}
	return p
}

// aliases returns the two ids of a message's sender when the message contains both.
func (s *session) aliases(info *types.MessageInfo) []crm.InboundAlias {
	p := pairOf(info.Sender, info.SenderAlt)
	if !info.IsGroup || info.IsFromMe || p.PN.IsEmpty() || p.LID.IsEmpty() {
		return nil // a private chat carries both ids itself
	}
	return []crm.InboundAlias{{Phone: content.ID(p.PN.User), LID: content.ID(chatID(p.LID))}}
}
