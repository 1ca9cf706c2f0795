package evolution

import (
	"fmt"
	"slices"
	"strings"

	"chatcast/crm"
)

// Ordinary accounts cannot send lists and buttons reliably. They are sent as texts that spell
// them, and the header fallbackHeader says so.
const fallbackHeader = "X-Chatcast-Fallback"

func menuRoutes() []route {
	row := obj("", str("title").must().some(), str("description"), str("rowId").must().some())
	section := obj("", str("title").must().some(), list("rows", row).must().some())
	button := obj("", str("type").must().one("reply", "copy", "url", "call", "pix"), str("displayText"), str("id"), str("copyCode"), str("url"), str("phoneNumber"),
		str("currency"), str("name"), str("keyType"), str("key"))
	return []route{
		{methods: "POST", path: "/message/sendList/:instance", within: sendTime, do: sendList,
			lifts: sendLifts(same("listMessage", "title", "description", "buttonText", "footerText", "sections")...),
			body: sendBody(str("title").must().some(), str("description"), str("footerText").must(), str("buttonText").must().some(),
				list("sections", section).must().some())},
		{methods: "POST", path: "/message/sendButtons/:instance", within: sendTime, do: sendButtons,
			lifts: sendLifts(lift{"buttonMessage.title", "title"}, lift{"buttonMessage.description", "description"}, lift{"buttonMessage.footerText", "footer"},
				lift{"buttonMessage.mediaMessage.media", "thumbnailUrl"}, lift{"buttonMessage.buttons", "buttons"}),
			body: sendBody(str("thumbnailUrl"), str("title"), str("description"), str("footer"), list("buttons", buttonOfBoth(button)).must())},
		{methods: "POST", path: "/message/sendTemplate/:instance", do: func(*request) (answer, error) { return answer{}, notOffered("sendTemplate") }},
		{methods: "POST", path: "/call/offer/:instance", do: func(*request) (answer, error) { return answer{}, notOffered("call/offer") }},
	}
}

// buttonOfBoth returns a button of either version: one of version 1 has buttonText and buttonId in
// place of the type.
func buttonOfBoth(b field) field {
	b.fields = slices.Clone(b.fields)
	b.fields[0].required = false
	b.fields = append(b.fields, str("buttonText"), str("buttonId"))
	return b
}

// sendSpelled sends a text in place of a menu.
func (q *request) sendSpelled(lines []string) (answer, error) {
	m, err := q.toNumber(crm.MessageText, crm.Content{Text: strings.Join(lines, "\n")})
	if err != nil {
		return answer{}, err
	}
	out, err := q.send(m)
	if err == nil {
		q.c.Header(fallbackHeader, "text")
	}
	return out, err
}

// spelled returns the parts of a menu in their order, without those that are empty.
func spelled(title, description string, options []string, footer string) (lines []string) {
	if title != "" {
		lines = append(lines, "*"+title+"*")
	}
	if description != "" {
		lines = append(lines, description)
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, options...)
	if footer != "" {
		lines = append(lines, "", "_"+footer+"_")
	}
	return lines
}

func sendList(q *request) (answer, error) {
	var options []string
	n := 0
	for _, s := range objects(q.body, "sections") {
		options = append(options, "*"+text(s, "title")+"*")
		for _, r := range objects(s, "rows") {
			n++
			line := fmt.Sprintf("%d. %s", n, text(r, "title"))
			if about := text(r, "description"); about != "" {
				line += " - " + about
			}
			options = append(options, line)
		}
	}
	return q.sendSpelled(spelled(text(q.body, "title"), text(q.body, "description"), options, text(q.body, "footerText")))
}

func sendButtons(q *request) (answer, error) {
	buttons := objects(q.body, "buttons")
	for _, b := range buttons {
		if label := text(b, "buttonText"); text(b, "type") == "" {
			b["type"] = "reply"
			if label != "" {
				b["displayText"], b["id"] = label, text(b, "buttonId")
			}
		}
	}
	if err := checkButtons(buttons); err != nil {
		return answer{}, err
	}
	title := text(q.body, "title")
	if title == "" && text(buttons[0], "type") != "pix" { // real clients send a key of PIX alone
		return answer{}, q.violations([]violation{{"instance", `requires property "title"`, ""}})
	}
	options := make([]string, len(buttons))
	for i, b := range buttons {
		options[i] = fmt.Sprintf("%d. %s", i+1, spelledButton(b))
	}
	return q.sendSpelled(spelled(title, text(q.body, "description"), options, text(q.body, "footer")))
}

// checkButtons refuses buttons that no message may have together.
func checkButtons(buttons []object) error {
	count := map[string]int{}
	for _, b := range buttons {
		count[text(b, "type")]++
	}
	replies, pix := count["reply"], count["pix"]
	switch {
	case len(buttons) == 0:
		return bad("At least one button is required")
	case replies > 3:
		return bad("Maximum of 3 reply buttons allowed")
	case replies > 0 && replies < len(buttons):
		return bad("Reply buttons cannot be mixed with other button types")
	case pix > 1:
		return bad("Only one PIX button is allowed")
	case pix > 0 && len(buttons) > 1:
		return bad("PIX button cannot be mixed with other button types")
	}
	return nil
}

// spelledButton returns what a button does as a text.
func spelledButton(b object) string {
	label, value := text(b, "displayText"), ""
	switch text(b, "type") {
	case "copy":
		value = text(b, "copyCode")
	case "url":
		value = text(b, "url")
	case "call":
		value = text(b, "phoneNumber")
	case "pix":
		label, value = strings.TrimSpace("PIX "+text(b, "name")), text(b, "key")
	}
	switch {
	case value == "":
		return label
	case label == "":
		return value
	}
	return label + ": " + value
}
