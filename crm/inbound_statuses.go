package crm

import (
	"slices"

	"chatcast/models"
)

// applyStatus advances the status of an outgoing message.
func (c *change) applyStatus(v renderer, chats *chatSet, st *statusArrival) (InboundStatusResult, error) {
	r := InboundStatusResult{ID: MakeID(v.line.Messenger, st.id), ChatID: st.chat.key.External, Result: ResultUnknown}
	chat, row, err := chats.messageOf(c, st)
	if chat != nil {
		r.ChatID = chat.ExternalID
	}
	if err != nil || row == nil || !row.FromMe {
		return r, err
	}
	r.Result = ResultUnchanged
	if advances(row.Status, st.status) {
		r.Result = ResultAccepted
		if err := c.setStatus(v, chat, row, st.status, st.time, st.failure); err != nil {
			return r, err
		}
	}
	if !st.played || row.Played || row.Status != models.StatusViewed {
		return r, nil
	}
	r.Result = ResultAccepted
	return r, c.setPlayed(v, chat, row, st.time)
}

// messageOf finds the message of a status, and its chat. A connector's status may name
// no chat or another one, because WhatsApp may name a person by an id that we do not
// know yet. A status that names a group, or both ids of a person, applies only to
// messages of that chat, because people can name any message id.
func (b *chatSet) messageOf(c *change, st *statusArrival) (*models.Chat, *models.Message, error) {
	chat := b.find(st.chat)
	if chat != nil {
		rows, err := c.tx.MessagesByExternal(chat.ID, []string{st.id})
		if err != nil || rows[st.id] != nil || !b.connector {
			return chat, rows[st.id], err
		}
	}
	if !b.connector {
		return nil, nil, nil
	}
	rows, err := c.tx.MessagesOfLine(b.line.licenseID, b.line.messenger, []string{st.id})
	if err != nil {
		return chat, nil, err
	}
	for _, row := range rows {
		for _, known := range b.byID {
			if row.FromMe && known.ID == row.ChatID && !st.chat.excludes(known) {
				return known, row, nil
			}
		}
	}
	return chat, nil, nil
}

// excludes reports whether c cannot be the chat.
func (c *inboundChat) excludes(chat *models.Chat) bool {
	ids := c.ids()
	if len(ids) < 2 && c.Type != "group" {
		return len(ids) > 0 && chat.Type == "group"
	}
	return !slices.Contains(ids, chat.ExternalID) && (chat.LID == nil || !slices.Contains(ids, *chat.LID))
}
