package chaos

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Kinds of violations.
const (
	lost        = "lost"           // committed, and a client or receiver did not get it
	doubled     = "doubled"        // got twice by a client that resumes, or on one socket
	disordered  = "out of order"   //
	invented    = "not committed"  // got, and not in the journal
	uncommitted = "acknowledged"   // answered with 200, and not in the journal once
	numbering   = "numbering"      // the journal has a gap
	ghost       = "ghost"          // shown as a member longer than the bound after all sockets were gone
	missing     = "member missing" // not shown as a member, though a socket is there
	memberTwice = "member doubled" // member_added of one who is there, member_removed of one who is not
	failed      = "failed"         // a program or client gave up
)

// violation is a promise that was broken.
type violation struct {
	kind, who, what string
}

func (v violation) String() string { return v.kind + ": " + v.who + ": " + v.what }

// entry is an event of the journal.
type entry struct {
	seq      int64
	channels []string
	message  string // the id of the message that it brings, if any
}

// stream is what a client got of one channel. A client that resumes says at each socket
// what it had last.
type stream struct {
	name, channel string
	resumes       bool
	sockets       [][]int64 // the ids of the events, by socket
	begin         int64     // it wants what is after this id
}

// received counts the events of a stream.
func (s *stream) received() (n int) {
	for _, ids := range s.sockets {
		n += len(ids)
	}
	return n
}

// ofChannel returns the ids of the events of a channel, in order.
func ofChannel(journal []entry, channel string) (ids []int64) {
	for _, e := range journal {
		if slices.Contains(e.channels, channel) {
			ids = append(ids, e.seq)
		}
	}
	return ids
}

// checkJournal checks that the numbers have no gap, and that each acknowledged message is
// there once.
func checkJournal(journal []entry, acknowledged map[string]time.Time, answers map[string]string) (list []violation) {
	count := map[string]int{}
	for i, e := range journal {
		if i > 0 && e.seq != journal[i-1].seq+1 {
			list = append(list, violation{numbering, "journal", fmt.Sprintf("%d follows %d", e.seq, journal[i-1].seq)})
		}
		if e.message != "" {
			count[e.message]++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(acknowledged)) {
		if count[id] != 1 {
			list = append(list, violation{uncommitted, "journal", fmt.Sprintf("the message %s is there %d times, and was answered with %s", id, count[id], answers[id])})
		}
	}
	return list
}

// checkStream compares what a client got with the journal.
func checkStream(journal []entry, s *stream) (list []violation) {
	want := ofChannel(journal, s.channel)
	add := func(kind, format string, args ...any) {
		list = append(list, violation{kind, s.name, fmt.Sprintf(format, args...)})
	}
	parts := s.sockets
	if s.resumes {
		parts = [][]int64{slices.Concat(s.sockets...)}
	}
	for _, got := range parts {
		seen := map[int64]bool{}
		highest := int64(0)
		for _, id := range got {
			switch _, committed := slices.BinarySearch(want, id); {
			case !committed:
				add(invented, "%d", id)
			case seen[id]:
				add(doubled, "%d, after %d", id, highest)
			case id < highest:
				add(disordered, "%d, after %d", id, highest)
			case s.resumes && id <= s.begin:
				add(doubled, "%d, which is before its beginning, %d", id, s.begin)
			}
			seen[id], highest = true, max(highest, id)
		}
		from, to := s.begin, int64(0)
		if len(want) > 0 {
			to = want[len(want)-1]
		}
		if !s.resumes { // it wants everything between its first and its last event
			if len(got) == 0 {
				continue
			}
			from, to = got[0]-1, highest
		}
		for _, id := range want {
			if id > from && id <= to && !seen[id] {
				add(lost, "%d", id)
			}
		}
	}
	return list
}

// checkReceiver compares what a callback URL got with the journal. An event may come
// again, and so may those after it; but none comes before those before it.
func checkReceiver(journal []entry, name, channel string, begin int64, got []int64) (list []violation) {
	want := slices.DeleteFunc(ofChannel(journal, channel), func(id int64) bool { return id <= begin })
	seen := map[int64]bool{}
	next := 0
	for _, id := range got {
		at, committed := slices.BinarySearch(want, id)
		switch {
		case !committed:
			list = append(list, violation{invented, name, fmt.Sprint(id)})
		case at > next:
			list = append(list, violation{disordered, name, fmt.Sprintf("%d came before %d", id, want[next])})
		}
		if committed {
			seen[id] = true
		}
		for next < len(want) && seen[want[next]] {
			next++
		}
	}
	for _, id := range want {
		if !seen[id] {
			list = append(list, violation{lost, name, fmt.Sprint(id)})
		}
	}
	return list
}
