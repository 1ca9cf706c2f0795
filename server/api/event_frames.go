package api

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
)

// The format of a stream is text/event-stream of the HTML standard:
//
//	retry: 2417                          how long the client waits before it comes back
//
//	id: 41
//	event: chatcast:position             where it goes on from, until the first event
//	data: {"eventId":41}
//
//	id: 42                               payload.meta.eventId
//	event: message
//	data: {"payload":...}                as on a socket
//
//	event: chatcast:resume_failed        some events are missing
//	id: 97                               and this is where the stream goes on
//	data: {"oldestEventId":51}
//
//	:                                    a heartbeat, which clients ignore
//
// The position is an event, although an id alone would do for a client that comes back by
// itself: a page that must open another stream has to know it. It comes again when the
// journal has grown without an event for the stream.

// Names of the events that are not in the journal.
const (
	streamPositioned = "chatcast:position"
	resumeFailed     = "chatcast:resume_failed" // events are missing
)

// Times after which clients come back, at random so that they do not all come at once.
const (
	retryLeast = time.Second
	retryRange = 3 * time.Second
)

var heartbeatFrame = []byte(":\n\n")

func retryLine(b []byte) []byte {
	return fmt.Appendf(b, "retry: %d\n", (retryLeast + rand.N(retryRange)).Milliseconds())
}

func idLine(b []byte, id int64) []byte { return strconv.AppendInt(append(b, "id: "...), id, 10) }

// positionFrame tells a client where it comes back to.
func positionFrame(b []byte, id int64) []byte {
	return fmt.Appendf(b, "id: %d\nevent: %s\ndata: {\"eventId\":%d}\n\n", id, streamPositioned, id)
}

func eventFrame(b []byte, e crm.PublishedEvent) []byte {
	b = append(idLine(b, e.ID), "\nevent: "...)
	b = append(b, e.Event...)
	for line := range bytes.FieldsFuncSeq(e.Data, func(r rune) bool { return r == '\n' || r == '\r' }) { // between the parts of JSON
		b = append(append(b, "\ndata: "...), line...)
	}
	return append(b, "\n\n"...)
}

func resumeFailedFrame(b []byte, next, oldest int64) []byte {
	return fmt.Appendf(b, "id: %d\nevent: %s\ndata: {\"oldestEventId\":%d}\n\n", next, resumeFailed, oldest)
}

// wakeUp is the dialect of streams. A stream reads what it writes from the journal, so the
// engine's frames only tell it to look, or that it has lost its channel.
type wakeUp struct{}

var _ broadcasting.Dialect = wakeUp{}

// Frames of wakeUp. Others are empty.
var (
	lookFrame = []byte("look")
	lostFrame = []byte("lost")
)

// Event implements broadcasting.Dialect. What has no number is not in the journal.
func (wakeUp) Event(ev broadcasting.Event) []byte {
	if ev.Seq == 0 {
		return nil
	}
	return lookFrame
}

// Unsubscribed implements broadcasting.Dialect.
func (wakeUp) Unsubscribed(string) []byte { return lostFrame }

// The rest of broadcasting.Dialect is of no concern to streams.
func (wakeUp) Subscribed(string, []*broadcasting.Member) []byte { return nil }
func (wakeUp) MemberAdded(string, *broadcasting.Member) []byte  { return nil }
func (wakeUp) MemberRemoved(string, string) []byte              { return nil }
func (wakeUp) SubscriptionCount(string, int) []byte             { return nil }
func (wakeUp) CacheMissed(string) []byte                        { return nil }
func (wakeUp) ResumeFailed(string, int64, int64) []byte         { return nil }
func (wakeUp) Next(string, int64) []byte                        { return nil }
func (wakeUp) Position(string, int64) []byte                    { return nil }
func (wakeUp) SignedIn(string) []byte                           { return nil }
func (wakeUp) WatchlistEvents(bool, []string) []byte            { return nil }
