package evolution

import (
	"strconv"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

func labelRoutes() []route {
	return []route{
		{methods: "GET", path: "/label/findLabels/:instance", do: findLabels},
		{methods: "POST PUT", path: "/label/handleLabel/:instance", body: schema{numberField(), str("labelId").must().some(), str("action").must().one("add", "remove")}, do: handleLabel},
	}
}

type labelRow struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	Color        string  `json:"color"`
	PredefinedID *string `json:"predefinedId"`
}

// findLabels lists the tags of the company: those of its chats are labels on the phone.
func findLabels(q *request) (answer, error) {
	tags, err := q.e.CRM.LineTags(q.ctx, q.actor, q.line())
	if err != nil {
		return answer{}, err
	}
	rows := make([]labelRow, len(tags))
	for i, tag := range tags {
		rows[i] = labelRow{ID: strconv.FormatInt(tag.ID, 10), Name: tag.Name, Color: strconv.Itoa(int(crm.LabelColorOf(tag.Color)))}
	}
	return ok(rows), nil
}

// handleLabel tags the chat of a number, or takes the tag away.
func handleLabel(q *request) (answer, error) {
	id, err := strconv.ParseInt(text(q.body, "labelId"), 10, 64)
	if err != nil || id <= 0 {
		return answer{}, bad("Label not found")
	}
	to, err := q.address(text(q.body, "number"))
	if err != nil {
		return answer{}, err
	}
	out := struct {
		NumberJID string `json:"numberJid"`
		LabelID   string `json:"labelId"`
		Add       bool   `json:"add,omitempty"`
		Remove    bool   `json:"remove,omitempty"`
	}{NumberJID: to.jid, LabelID: strconv.FormatInt(id, 10)}
	var chat crm.ChatData
	if text(q.body, "action") == "add" {
		out.Add = true
		chat, err = q.e.CRM.TagChat(q.ctx, q.actor, q.chat(to), crm.Value(id))
	} else {
		out.Remove = true
		chat, err = q.e.CRM.UntagChat(q.ctx, q.actor, q.chat(to), id)
	}
	if err != nil {
		return answer{}, err
	}
	out.NumberJID = shape.JID(chat.ID)
	return ok(out), nil
}
