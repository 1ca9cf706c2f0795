package docs

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"chatcast/crm"
)

// Channel describes a kind of channel.
type Channel struct {
	Anchor, Address, Title, Access string
	Note                           template.HTML
	Events                         []string
	Frames                         []string
}

// Event is an event of channels, or a frame of the protocol itself.
type Event struct {
	Anchor, Name string
	Note         template.HTML
	From         string // the sender of a frame
	Channels     []Channel
	Fields       []Field
	Sample       string
}

// isFrame reports whether a message belongs to the protocol, Pusher's or what chatcast adds to
// it. Others are events, which have schemas.
func isFrame(name string) bool {
	return strings.HasPrefix(name, "pusher") || strings.HasPrefix(name, "chatcast:")
}

func (b *builder) channels() (list []Channel) {
	for _, p := range b.async.root.get("channels").pairs() {
		c := Channel{
			Anchor: anchor("channel", p.key), Address: p.get("address").text(), Title: p.get("title").text(),
			Access: p.get("x-access").text(), Note: b.prose(p.get("description").text()),
		}
		for _, m := range p.get("messages").pairs() {
			message, _ := b.async.follow(m.node)
			name := message.get("name").text()
			if isFrame(name) {
				c.Frames = append(c.Frames, name)
			} else {
				c.Events = append(c.Events, name)
			}
		}
		list = append(list, c)
	}
	return list
}

// messages returns the events, each with its JSON Schema, and the protocol's frames.
func (b *builder) messages() (events, frames []Event, err error) {
	channels := b.channels()
	for _, p := range b.async.root.get("components", "messages").pairs() {
		e := Event{Name: p.get("name").text(), Note: b.prose(p.get("summary").text())}
		if isFrame(e.Name) {
			s := shaper{builder: b, doc: b.async, depth: 4}
			e.Anchor, e.From = anchor("frame", e.Name), b.from(e.Name)
			e.Fields = s.fields(p.get("payload"))
			if said := p.get("payload", "description").text(); said != "" {
				e.Fields = append(e.Fields, Field{Name: "data", Type: p.get("payload", "type").text(), Note: b.note(said)})
			}
			frames = append(frames, e)
			continue
		}
		text, ok := crm.Schema(e.Name)
		if !ok {
			return nil, nil, fmt.Errorf("asyncapi.yaml: the event %q has no schema", e.Name)
		}
		root, err := read(text)
		if err != nil {
			return nil, nil, fmt.Errorf("the schema of %s: %w", e.Name, err)
		}
		s := shaper{builder: b, doc: document{root}, depth: 4}
		e.Anchor, e.Fields = "event-"+e.Name, s.fields(root)
		if examples := p.get("examples").list(); len(examples) > 0 {
			e.Sample = pretty(examples[0].get("payload").value)
		}
		for _, c := range channels {
			if slices.Contains(c.Events, e.Name) {
				e.Channels = append(e.Channels, c)
			}
		}
		events = append(events, e)
	}
	return events, frames, nil
}

// from returns the sender of a frame, which the operations in asyncapi.yaml tell.
func (b *builder) from(name string) string {
	sides := map[string]bool{}
	for _, op := range b.async.root.get("operations").pairs() {
		for _, m := range op.get("messages").list() {
			channel, _ := b.async.follow(m) // the channel's entry refers to the message
			if channel.get("name").text() == name {
				sides[op.get("action").text()] = true
			}
		}
	}
	switch {
	case sides["send"] && sides["receive"]:
		return "both sides"
	case sides["receive"]:
		return "the client"
	}
	return "the server"
}
