package redis

import (
	"reflect"
	"testing"

	"chatcast/broadcasting/cluster"
)

var wireEvents = []*cluster.Event{
	{App: "app", Channel: "presence-a;b=@,.", Name: "client-é", Data: "{\"a\":\"\x00ü\"}", Object: true, Except: "1.2", UserID: "7\n", Seq: 1<<62 + 1, Published: -1},
	{App: "1", Channel: "news", Name: "e", Data: "x"},
	{},
}

func wantAll(string, string) bool { return true }

// TestWireStays tests that the bytes of events stay as they are: nodes of two versions hear
// each other while one replaces the other.
func TestWireStays(t *testing.T) {
	var body []byte
	for _, e := range wireEvents {
		body = appendEvent(body, e)
	}
	const want = ">\x03app\x10presence-a;b=@,.\tclient-é\x0b{\"a\":\"\x00ü\"}\x031.2\x027\n\x01\x82\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01" +
		"\x10\x011\x04news\x01e\x01x\x00\x00\x00\x00\x00\t\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	if string(body) != want {
		t.Errorf("the events are\n%q, want\n%q", body, want)
	}
	got, err := cutEvents(string(body), wantAll)
	if err != nil || !reflect.DeepEqual(got, wireEvents) {
		t.Errorf("came %+v, %v", got, err)
	}
	got, err = cutEvents(string(body), func(_, channel string) bool { return channel == "news" })
	if err != nil || len(got) != 1 || got[0].Data != "x" {
		t.Errorf("of one channel came %+v, %v", got, err)
	}
	if text := plainHead("NODE.1", 7); text != "NODE.1 7 0 0\n" {
		t.Errorf("the head is %q", text)
	}
	if p := partitionOf("1", "news"); p != 19 {
		t.Errorf("the partition is %d", p)
	}
}

// FuzzPayload tests that no payload makes a node panic, and that events are what they were.
func FuzzPayload(f *testing.F) {
	f.Add("NODE.1 7 0 0\n" + string(appendEvent(nil, wireEvents[0])))
	f.Add("NODE.1 7 1 2\n[{\"k\":\"order\"}]")
	f.Add("N 1 0 0\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, payload string) {
		h, body, err := cutHead(payload)
		if err != nil {
			return
		}
		_, _ = cutMessages(h, body)
		events, err := cutEvents(body, wantAll)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range events {
			again = appendEvent(again, e)
		}
		if back, err := cutEvents(string(again), wantAll); err != nil || !reflect.DeepEqual(back, events) {
			t.Errorf("%+v became %+v, %v", events, back, err)
		}
	})
}
