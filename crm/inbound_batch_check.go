package crm

import (
	"fmt"

	"chatcast/models"
)

// inboundExtras are the checked parts that only an InboundBatch has.
type inboundExtras struct {
	connector bool
	history   bool
	aliases   []ChatKey // with Phone and LID
	contacts  []*models.Contact
	labels    []InboundLabel
	chats     []inboundChat
	edits     []editArrival
	deletes   []deleteArrival
	reads     []readArrival
	tags      []tagArrival
	archives  []archiveArrival
	states    []chatStateArrival
	calls     []callArrival
	gone      []inboundChat
	part      HistoryPart
	groups    []groupArrival
	allGroups []ID // nil: not known
}

type editArrival struct {
	InboundEdit
	chat inboundChat
	time int64
}

type deleteArrival struct {
	InboundDelete
	chat inboundChat
	time int64
}

type readArrival struct {
	chat inboundChat
	upTo string // empty: all until time
	time int64
}

type tagArrival struct {
	InboundTag
	chat inboundChat
}

type archiveArrival struct {
	chat     inboundChat
	archived bool
}

// batch checks all parts at once. Each violation names the path of its field.
func (in InboundBatch) batch(messenger string, now int64) (b batch, err error) {
	b.connector, b.history, b.part, b.labels = true, in.History, in.Part, in.Labels
	var violations []error
	for i := range in.Messages {
		m, err := in.Messages[i].check(messenger, fmt.Sprintf("messages[%d].", i), now)
		b.messages, violations = append(b.messages, m), append(violations, err)
	}
	for i := range in.Statuses {
		st, err := in.Statuses[i].checkAnywhere(messenger, fmt.Sprintf("statuses[%d].", i), now)
		b.statuses, violations = append(b.statuses, st), append(violations, err)
	}
	violations = append(violations, b.names(in, messenger), b.changes(in, messenger, now))
	for i := range in.Labels {
		violations = append(violations, in.Labels[i].check(fmt.Sprintf("labels[%d].", i)))
	}
	for i, tag := range in.Tags {
		at := fmt.Sprintf("tags[%d].", i)
		chat, err := tag.Chat.check(messenger, at+"chat.")
		b.tags = append(b.tags, tagArrival{InboundTag: tag, chat: chat})
		violations = append(violations, err, checkRequired(at+"label", tag.Label, 64))
	}
	for i, a := range in.Archives {
		chat, err := a.Chat.check(messenger, fmt.Sprintf("archives[%d].chat.", i))
		b.archives, violations = append(b.archives, archiveArrival{chat, a.Archived}), append(violations, err)
	}
	for i := range in.States {
		st, err := in.States[i].check(messenger, i)
		b.states, violations = append(b.states, st), append(violations, err)
	}
	for i := range in.Calls {
		k, err := in.Calls[i].check(messenger, i, now)
		b.calls, violations = append(b.calls, k), append(violations, err)
	}
	for i := range in.Gone {
		chat, err := in.Gone[i].check(messenger, fmt.Sprintf("gone[%d].", i))
		b.gone, violations = append(b.gone, chat), append(violations, err)
	}
	for i := range in.Groups {
		g, err := in.Groups[i].check(messenger, fmt.Sprintf("groups[%d].", i), now)
		b.groups, violations = append(b.groups, g), append(violations, err)
	}
	b.allGroups = in.AllGroups
	return b, allViolations(violations...)
}

// names checks aliases, contacts and chats.
func (b *batch) names(t InboundBatch, messenger string) error {
	var violations []error
	for i, in := range t.Aliases {
		at := fmt.Sprintf("aliases[%d].", i)
		key, err := in.check(messenger, at)
		b.aliases, violations = append(b.aliases, key), append(violations, err)
	}
	for i := range t.Contacts {
		_, contact, err := t.Contacts[i].check(messenger, fmt.Sprintf("contacts[%d].", i), false)
		b.contacts, violations = append(b.contacts, contact), append(violations, err)
	}
	for i := range t.Chats {
		chat, err := t.Chats[i].check(messenger, fmt.Sprintf("chats[%d].", i))
		b.chats, violations = append(b.chats, chat), append(violations, err)
	}
	return allViolations(violations...)
}

// check returns the ids of the person.
func (in InboundAlias) check(messenger, at string) (ChatKey, error) {
	key, phoneViolation := phoneKey(messenger, at+"phone", in.Phone)
	var lid, typed ChatKey
	var lidViolation, typedViolation error
	if in.Typed.String() != "" {
		typed, typedViolation = phoneKey(messenger, at+"typed", in.Typed)
	}
	if in.LID.String() != "" || in.Typed.String() == "" {
		lid, lidViolation = ParseChatID(at+"lid", messenger, in.LID.String())
		if lidViolation == nil && lid.LID == "" {
			lidViolation = Invalid(at+"lid", "must end in @lid")
		}
	}
	key.LID, key.Typed = lid.LID, typed.External
	return key, allViolations(phoneViolation, lidViolation, typedViolation)
}

// phoneKey parses an id that must be a phone number.
func phoneKey(messenger, field string, id ID) (ChatKey, error) {
	key, err := ParseChatID(field, messenger, id.String())
	if err == nil && key.Phone == "" {
		err = Invalid(field, "must be a phone number")
	}
	return key, err
}

// changes checks edits, deletes and reads.
func (b *batch) changes(t InboundBatch, messenger string, now int64) error {
	var violations []error
	for i, in := range t.Edits {
		at := fmt.Sprintf("edits[%d].", i)
		if in.Type == "" {
			in.Type = MessageText
		}
		chat, chatViolation := in.Chat.check(messenger, at+"chat.")
		when, timeViolation := checkTime(at+"time", in.Time, now)
		mentions, mentionViolation := checkMentions(messenger, at+"message.mentions", in.Message.Mentions)
		in.Message.Mentions = mentions
		b.edits = append(b.edits, editArrival{InboundEdit: in, chat: chat, time: when})
		violations = append(violations, chatViolation, timeViolation, mentionViolation, checkID(at+"id", in.ID.String()), in.Message.check(at+"message.", in.Type, MaxText))
		if !messageTypeForm.MatchString(in.Type) {
			violations = append(violations, Invalid(at+"type", "must be a type of message"))
		}
	}
	for i, in := range t.Deletes {
		at := fmt.Sprintf("deletes[%d].", i)
		chat, chatViolation := in.Chat.check(messenger, at+"chat.")
		when, timeViolation := checkTime(at+"time", in.Time, now)
		b.deletes = append(b.deletes, deleteArrival{InboundDelete: in, chat: chat, time: when})
		violations = append(violations, chatViolation, timeViolation, checkID(at+"id", in.ID.String()))
	}
	for i, in := range t.Reads {
		at := fmt.Sprintf("reads[%d].", i)
		chat, chatViolation := in.Chat.check(messenger, at+"chat.")
		when, timeViolation := checkTime(at+"time", in.Time, now)
		r := readArrival{chat: chat, time: when}
		if in.UpTo != nil {
			r.upTo = in.UpTo.String()
		}
		b.reads, violations = append(b.reads, r), append(violations, chatViolation, timeViolation)
	}
	return allViolations(violations...)
}

// checkAnywhere is like check, but the chat may be absent.
func (st *InboundStatus) checkAnywhere(messenger, at string, now int64) (statusArrival, error) {
	if st.Chat.ID.String() != "" {
		return st.check(messenger, at, now)
	}
	placed := *st
	placed.Chat.ID = ID{text: "1@lid"} // any valid id will do: the chat is removed again
	r, err := placed.check(messenger, at, now)
	r.chat = inboundChat{}
	return r, err
}

func (in InboundLabel) check(at string) error {
	var colorViolation error
	if in.Color != "" && !colorForm.MatchString(in.Color) {
		colorViolation = Invalid(at+"color", "must be # and 3 to 8 hexadecimal digits")
	}
	return allViolations(checkRequired(at+"id", in.ID, 64), checkText(at+"name", in.Name, maxName), colorViolation)
}

// attached returns the row of the message's attachment, without its chat and message,
// and the Upload if there is one. The row is nil when there is no attachment.
func (m *InboundMessage) attached(now int64) (*models.File, *Upload) {
	switch {
	case m.Attachment != nil:
		u := m.Attachment
		return &models.File{ID: u.id, Name: u.name, Size: u.size, MimeType: u.mime, CreatedAt: now}, u
	case m.Remote != nil:
		f := &models.File{
			ID: randomHex(16), Name: fileName(m.Remote.Name), MimeType: mimeOf(m.Remote.MimeType, m.Remote.Name, nil), CreatedAt: now,
			State: FilePending, Source: given(string(m.Remote.Source)),
		}
		if size := m.Remote.announced(); size != nil {
			f.Size = *size
		}
		return f, nil
	}
	return nil, nil
}

// announced returns the size that the sender has announced, nil when there is none or
// when no file has that size.
func (f *RemoteFile) announced() *int64 {
	if f.Size == nil || !plausibleSize(*f.Size) {
		return nil
	}
	return f.Size
}
