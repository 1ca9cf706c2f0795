package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/redis/rueidis"

	"chatcast/broadcasting/cluster"
)

// payloadBytes is when a payload is long enough: Redis keeps what a node has not read yet,
// and disconnects a node that has too much of it.
const payloadBytes = 256 << 10

// sending is a command with the messages that it sends.
type sending struct {
	command
	outs   []*cluster.Outgoing
	answer func(out *cluster.Outgoing, r rueidis.RedisResult) error // nil: none is needed
}

// body is a payload that is not full yet.
type body struct {
	bytes.Buffer
	outs []*cluster.Outgoing
}

// packer makes commands of a batch. What goes to one channel stays in order.
type packer struct {
	t      *transport
	list   []sending
	bodies map[string]*body
	topics []string // of bodies, in order
}

// Send implements cluster.Transport: one round trip for all of the batch.
func (t *transport) Send(ctx context.Context, _ string, batch []*cluster.Outgoing) error {
	l := t.current.Load()
	if l == nil {
		return errNoLink
	}
	p := &packer{t: t, bodies: map[string]*body{}}
	for _, out := range batch {
		if err := p.add(out); err != nil {
			out.Err = err
		}
	}
	for _, topic := range p.topics {
		p.flush(topic)
	}
	commands := make([]rueidis.Completed, len(p.list))
	for i, s := range p.list {
		commands[i] = s.build(l.client)
	}
	for i, r := range l.client.DoMulti(ctx, commands...) {
		s := p.list[i]
		err := r.Error()
		for _, out := range s.outs {
			if err != nil {
				out.Err = shown(err)
			} else if s.answer != nil {
				out.Err = s.answer(out, r)
			}
		}
	}
	return nil
}

func (p *packer) add(out *cluster.Outgoing) (err error) {
	t := p.t
	switch {
	case out.Kind == cluster.KindOrder || out.TakesAway():
		p.flush(t.names.nodes)
		if now, known := t.now(); known && out.Within > 0 {
			out.Until = now.Add(out.Within).UnixMicro()
		}
		c, err := t.order(out)
		if err != nil {
			return err
		}
		p.list = append(p.list, sending{c, []*cluster.Outgoing{out}, t.ordered})
		return nil
	case out.Kind != cluster.KindEvent:
		return p.message(out)
	}
	of := partitionOf(out.Event.App, out.Event.Channel)
	topic := t.names.partitions[of]
	record := appendEvent(nil, out.Event)
	if out.Kept {
		p.flush(topic)
		p.list = append(p.list, sending{t.keep(out, of, record), []*cluster.Outgoing{out}, nil})
		return nil
	}
	b := p.body(topic)
	_, _ = b.Write(record)
	p.full(b, topic, out)
	return nil
}

// message adds to the list of messages that nodes tell each other.
func (p *packer) message(out *cluster.Outgoing) error {
	text, err := json.Marshal(out.Message)
	if err != nil {
		return err
	}
	topic := p.t.names.nodes
	b := p.body(topic)
	if b.Len() == 0 {
		_ = b.WriteByte('[')
	} else {
		_ = b.WriteByte(',')
	}
	_, _ = b.Write(text)
	p.full(b, topic, out)
	return nil
}

func (p *packer) body(topic string) *body {
	b := p.bodies[topic]
	if b == nil {
		b = &body{}
		p.bodies[topic] = b
		p.topics = append(p.topics, topic)
	}
	return b
}

func (p *packer) full(b *body, topic string, out *cluster.Outgoing) {
	b.outs = append(b.outs, out)
	if b.Len() >= payloadBytes {
		p.flush(topic)
	}
}

// flush makes a command of what waits for a channel.
func (p *packer) flush(topic string) {
	b := p.bodies[topic]
	if b == nil || len(b.outs) == 0 {
		return
	}
	if topic == p.t.names.nodes {
		_ = b.WriteByte(']')
	}
	p.t.sent[topic]++
	payload := plainHead(p.t.id, p.t.sent[topic]) + b.String()
	p.list = append(p.list, sending{command{[]string{"PUBLISH"}, []string{topic}, []string{payload}}, b.outs, nil})
	b.Reset()
	b.outs = nil
}

// next returns the number of the next payload to a channel.
func (t *transport) next(topic string) string {
	t.sent[topic]++
	return strconv.FormatUint(t.sent[topic], 10)
}

// order returns the command that sends an order.
func (t *transport) order(out *cluster.Outgoing) (c command, err error) {
	text, err := json.Marshal([]cluster.Message{out.Message})
	if err != nil {
		return c, err
	}
	takes := "0"
	if out.TakesAway() {
		takes = "1"
	}
	return script(orderScript, []string{t.names.leases(), t.names.orders()},
		t.names.nodes, t.id, t.next(t.names.nodes), string(text), takes, number(t.orders)), nil
}

// ordered notes who has to answer an order.
func (t *transport) ordered(out *cluster.Outgoing, r rueidis.RedisResult) error {
	answer, err := parts(r, 2)
	if err != nil {
		return err
	}
	own, err := answer[0].AsInt64()
	if err != nil {
		return shown(err)
	}
	t.orders = max(t.orders, own)
	nodes, err := answer[1].AsStrSlice()
	if err != nil {
		return shown(err)
	}
	out.Nodes = t.without(nodes)
	return nil
}

// keep returns the command that sends an event and keeps it.
func (t *transport) keep(out *cluster.Outgoing, of int, record []byte) command {
	ev := *out.Event
	ev.Except, ev.Published = "", 0
	topic := t.names.partitions[of]
	return script(keepScript, t.names.kept(of), topic, t.id, t.next(topic), string(record),
		field(ev.App, ev.Channel), string(appendEvent(nil, &ev)), strconv.Itoa(cluster.KeptSize(ev.Engine())),
		micros(t.limits.TTL()), number(t.limits.Bytes()))
}
