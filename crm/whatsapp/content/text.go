package content

import (
	"encoding/json"
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// textContent returns the content of a text, plain or with a link preview, or nil.
func textContent(m *waE2E.Message) *Content {
	text, from := m.GetConversation(), (*waE2E.ContextInfo)(nil)
	if x := m.GetExtendedTextMessage(); x != nil {
		text, from = x.GetText(), x.GetContextInfo()
	}
	if text == "" {
		return nil
	}
	return newText("", text, from)
}

func newText(subtype, text string, from *waE2E.ContextInfo) *Content {
	return &Content{Type: crm.MessageText, Subtype: subtype, Content: crm.Content{Text: text}, Context: from}
}

// replyContent returns the content of a chosen button or list row, or nil. Its text is
// the label of the button or row.
func replyContent(m *waE2E.Message) *Content {
	if r := m.GetButtonsResponseMessage(); r != nil {
		return newText("buttonReply", FirstNonBlank(r.GetSelectedDisplayText(), r.GetSelectedButtonID()), r.GetContextInfo()).chosen(r.GetSelectedButtonID())
	}
	if r := m.GetTemplateButtonReplyMessage(); r != nil {
		return newText("templateReply", FirstNonBlank(r.GetSelectedDisplayText(), r.GetSelectedID()), r.GetContextInfo()).chosen(r.GetSelectedID())
	}
	if r := m.GetListResponseMessage(); r != nil {
		return newText("listReply", FirstNonBlank(r.GetTitle(), r.GetDescription(), r.GetSingleSelectReply().GetSelectedRowID()), r.GetContextInfo()).
			chosen(r.GetSingleSelectReply().GetSelectedRowID())
	}
	if r := m.GetInteractiveResponseMessage(); r != nil {
		flow := r.GetNativeFlowResponseMessage()
		return newText("interactiveReply", FirstNonBlank(r.GetBody().GetText(), flow.GetName(), flow.GetParamsJSON()), r.GetContextInfo()).chosen(flowChoice(flow))
	}
	return nil
}

// flowChoice returns the id of the button or row that was chosen in a native flow, or "": other flows
// have parameters of other forms.
func flowChoice(flow *waE2E.InteractiveResponseMessage_NativeFlowResponseMessage) string {
	var parameters struct {
		ID string `json:"id"`
	}
	if json.Unmarshal([]byte(flow.GetParamsJSON()), &parameters) != nil {
		return ""
	}
	return parameters.ID
}

// chosen adds the id of the button or row that was chosen.
func (s *Content) chosen(id string) *Content {
	if id != "" {
		s.Content.Choice = &crm.Choice{ID: Clip(id, maxChoice)}
	}
	return s
}

// maxChoice is crm's limit of the id of a button or row, in characters.
const maxChoice = 1024

// invite returns an invitation to a group, or nil when it leads to none.
func invite(g *waE2E.GroupInviteMessage) *crm.Invite {
	key, err := crm.ParseChatID("", MessengerType, g.GetGroupJID())
	if code := g.GetInviteCode(); err != nil || !key.Group || code == "" || Clip(code, maxInvite) != code {
		return nil
	}
	in := &crm.Invite{GroupID: key.External, Code: g.GetInviteCode(), Name: Clip(g.GetGroupName(), MaxName), Caption: Clip(g.GetCaption(), crm.MaxCaption)}
	if when := g.GetInviteExpiration(); when > 0 && when < 1<<53 {
		in.Expires = when
	}
	return in
}

// maxInvite is crm's limit of the code of an invitation, in characters.
const maxInvite = 64

// interactiveContent returns the content of a message with buttons or a list, or nil: its
// text, with the labels of the buttons or rows below it.
func interactiveContent(m *waE2E.Message) *Content {
	const subtype = "interactive"
	if b := m.GetButtonsMessage(); b != nil {
		lines := []string{b.GetText(), b.GetContentText(), b.GetFooterText()}
		for _, button := range b.GetButtons() {
			lines = append(lines, bullet(button.GetButtonText().GetDisplayText()))
		}
		return newText(subtype, JoinNonBlank(lines), b.GetContextInfo())
	}
	if l := m.GetListMessage(); l != nil {
		lines := []string{l.GetTitle(), l.GetDescription(), l.GetFooterText()}
		for _, section := range l.GetSections() {
			for _, row := range section.GetRows() {
				lines = append(lines, bullet(row.GetTitle()))
			}
		}
		return newText(subtype, JoinNonBlank(lines), l.GetContextInfo())
	}
	if t := m.GetTemplateMessage(); t != nil {
		h := t.GetHydratedTemplate()
		if h == nil {
			h = t.GetHydratedFourRowTemplate()
		}
		lines := []string{h.GetHydratedTitleText(), h.GetHydratedContentText(), h.GetHydratedFooterText()}
		for _, button := range h.GetHydratedButtons() {
			lines = append(lines, bullet(FirstNonBlank(button.GetQuickReplyButton().GetDisplayText(),
				button.GetUrlButton().GetDisplayText(), button.GetCallButton().GetDisplayText())))
		}
		if text := JoinNonBlank(lines); text != "" {
			return newText(subtype, text, t.GetContextInfo())
		}
		return interactive(t.GetInteractiveMessageTemplate(), t.GetContextInfo())
	}
	if h := m.GetHighlyStructuredMessage(); h != nil {
		return newText(subtype, h.GetElementName(), nil)
	}
	if i := m.GetInteractiveMessage(); i != nil {
		return interactive(i, i.GetContextInfo())
	}
	return nil
}

func interactive(i *waE2E.InteractiveMessage, from *waE2E.ContextInfo) *Content {
	return newText("interactive", JoinNonBlank([]string{i.GetHeader().GetTitle(), i.GetBody().GetText(), i.GetFooter().GetText()}), from)
}

// offerContent returns the content of an offer of a business or a group: a product, an
// order, an invitation or an event. It returns nil for other messages.
func offerContent(m *waE2E.Message) *Content {
	if g := m.GetGroupInviteMessage(); g != nil {
		link := ""
		if code := g.GetInviteCode(); code != "" {
			link = "https://chat.whatsapp.com/" + code
		}
		s := newText("groupInvite", JoinNonBlank([]string{g.GetGroupName(), g.GetCaption(), link}), g.GetContextInfo())
		s.Content.Invite = invite(g)
		return s
	}
	if o := m.GetOrderMessage(); o != nil {
		return newText("order", JoinNonBlank([]string{o.GetOrderTitle(), o.GetMessage()}), o.GetContextInfo())
	}
	if p := m.GetProductMessage(); p != nil {
		product := p.GetProduct()
		return newText("product", JoinNonBlank([]string{product.GetTitle(), product.GetDescription(), p.GetBody(), product.GetURL()}), p.GetContextInfo())
	}
	if e := m.GetEventMessage(); e != nil {
		return newText("event", JoinNonBlank([]string{e.GetName(), e.GetDescription(), e.GetLocation().GetName(), e.GetJoinLink()}), e.GetContextInfo())
	}
	return nil
}

// comment returns the content of a comment, which refers to the message that it comments
// on.
func comment(c *waE2E.CommentMessage) *Content {
	s := Translate(c.GetMessage())
	if s != nil {
		s.Subtype = "comment"
		s.Context = &waE2E.ContextInfo{}
		if about := c.GetTargetMessageKey(); about != nil {
			s.Context.StanzaID = about.ID
		}
	}
	return s
}

func bullet(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "• " + text
}

// JoinNonBlank joins the lines that are not blank. It reuses the array of lines.
func JoinNonBlank(lines []string) string {
	kept := lines[:0]
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// FirstNonBlank returns the first text that is not blank, or "" when there is none.
func FirstNonBlank(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}
