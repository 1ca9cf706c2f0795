package redis

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"chatcast/broadcasting/cluster"
)

// partitions is how many channels carry events. All nodes must agree on it.
const partitions = 64

// partitionOf returns the partition of a channel's events.
func partitionOf(app, channel string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(app))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(channel))
	return int(h.Sum32() % partitions)
}

// names are the names of channels and keys. The braces make Redis Cluster keep what
// belongs together on one node.
type names struct {
	nodes      string // the channel of what nodes tell each other
	partitions [partitions]string
	of         map[string]int // the partition of a channel; nodes has none
}

func newNames(prefix string, db int) *names {
	n := &names{of: map[string]int{}}
	prefix += ":" + strconv.Itoa(db) + ":" // channels do not belong to a database
	n.nodes = prefix + "{nodes}"
	for p := range partitions {
		n.partitions[p] = prefix + "{" + strconv.Itoa(p) + "}"
		n.of[n.partitions[p]] = p
	}
	return n
}

// topics returns all channels.
func (n *names) topics() []string { return append(n.partitions[:], n.nodes) }

// Keys of the nodes: when the lease of each is over, since when there are leases, and the
// number of the last order.
func (n *names) since() string  { return n.nodes + ":since" }
func (n *names) leases() string { return n.nodes + ":leases" }
func (n *names) orders() string { return n.nodes + ":orders" }

// sweeping is the key of who sweeps.
func (n *names) sweeping() string { return n.nodes + ":sweeping" }

// kept returns the keys of the last events of a partition: the events, their versions, the
// bytes of all, and the last version.
func (n *names) kept(p int) []string {
	topic := n.partitions[p]
	return []string{topic + ":last", topic + ":kept", topic + ":bytes", topic + ":version"}
}

// field returns the name of a channel's last event.
func field(app, channel string) string { return app + "\x00" + channel }

// head begins a payload: the sender, the number of this payload among those that it has
// sent to the same channel, and for an order or a kept event the number before it and its
// own. The scripts write the same.
//
//	<sender> <n> <before> <number>\n<body>
type head struct {
	from           string
	n              uint64
	before, number int64
}

func plainHead(from string, n uint64) string {
	return from + " " + strconv.FormatUint(n, 10) + " 0 0\n"
}

// errPayload means that a payload is not one of ours.
var errPayload = errors.New("redis: a payload that is not a message")

func cutHead(payload string) (h head, body string, err error) {
	line, body, found := strings.Cut(payload, "\n")
	words := strings.SplitN(line, " ", 4)
	if !found || len(words) != 4 {
		return h, "", errPayload
	}
	h.from = words[0]
	var errs [3]error
	h.n, errs[0] = strconv.ParseUint(words[1], 10, 64)
	h.before, errs[1] = strconv.ParseInt(words[2], 10, 64)
	h.number, errs[2] = strconv.ParseInt(words[3], 10, 64)
	if errors.Join(errs[:]...) != nil || h.from == "" {
		return h, "", errPayload
	}
	return h, body, nil
}

// cutMessages decodes the body of a payload of nodes.
func cutMessages(h head, body string) (list []cluster.Message, err error) {
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	for i := range list {
		if m := &list[i]; m.Kind == cluster.KindOrder || m.Kind == cluster.KindUnsure {
			m.Before, m.Number = h.before, h.number
		}
	}
	return list, nil
}

// appendEvent appends an event: its length, and the texts and numbers of its fields. The
// app and the channel come first, so that a node that wants none of it can step over it.
func appendEvent(b []byte, e *cluster.Event) []byte {
	var fields [256]byte
	of := fields[:0]
	for _, text := range []string{e.App, e.Channel, e.Name, e.Data, e.Except, e.UserID} {
		of = binary.AppendUvarint(of, uint64(len(text)))
		of = append(of, text...)
	}
	of = append(of, 0)
	if e.Object {
		of[len(of)-1] = 1
	}
	of = binary.AppendVarint(of, e.Seq)
	of = binary.AppendVarint(of, e.Published)
	return append(binary.AppendUvarint(b, uint64(len(of))), of...)
}

// cutEvents decodes the events that are wanted. What follows a known field is of a later
// version, and ignored.
func cutEvents(body string, wanted func(app, channel string) bool) (list []*cluster.Event, err error) {
	for body != "" {
		record, rest, ok := cutText(body)
		if !ok {
			return list, errPayload
		}
		body = rest
		e, err := cutEvent(record, wanted)
		if err != nil {
			return list, err
		}
		if e != nil {
			list = append(list, e)
		}
	}
	return list, nil
}

// cutEvent returns nil for an event that is not wanted.
func cutEvent(record string, wanted func(app, channel string) bool) (*cluster.Event, error) {
	var e cluster.Event
	ok := true
	for i, to := range []*string{&e.App, &e.Channel, &e.Name, &e.Data, &e.Except, &e.UserID} {
		if *to, record, ok = cutText(record); !ok {
			return nil, errPayload
		}
		if i == 1 && !wanted(e.App, e.Channel) {
			return nil, nil
		}
	}
	if record == "" {
		return nil, errPayload
	}
	e.Object, record = record[0]&1 != 0, record[1:]
	for _, to := range []*int64{&e.Seq, &e.Published} {
		n := 0
		if *to, n = binary.Varint([]byte(record[:min(len(record), binary.MaxVarintLen64)])); n <= 0 {
			return nil, errPayload
		}
		record = record[n:]
	}
	return &e, nil
}

// cutText cuts a text with its length before it.
func cutText(s string) (text, rest string, ok bool) {
	length, n := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	if n <= 0 || length > uint64(len(s)-n) {
		return "", "", false
	}
	return s[n : n+int(length)], s[n+int(length):], true
}
