package server_test

import (
	"strings"
	"testing"

	"chatcast/channels/testwait"
	"chatcast/server"
)

// A frame that was refused is waited for until it fits. Nearly empty is not enough then: a
// replay would read the history again and again, and be refused each time.
func TestRoomForARefusedFrame(t *testing.T) {
	h := start(t, server.Options{QueueBytes: 128 << 20, WriteTimeout: testwait.Long})
	c := h.dial(t)
	s := receive(t, h.sessions, "session")
	const frames = 24
	frame, large := text(strings.Repeat("x", 1<<20)), text(strings.Repeat("x", 60<<20))
	for range frames { // more than the kernel takes, and less than a quarter of the queue
		s.Queue(frame)
	}
	if !s.Room(func() {}) {
		t.Fatal("the queue is not nearly empty")
	}
	if s.QueueIfRoom(large) {
		t.Fatal("the large frame was taken")
	}
	room := make(chan struct{}, 1)
	if s.Room(func() { room <- struct{}{} }) {
		t.Fatal("there is room, but not for the frame that was refused")
	}
	for range frames {
		read(t, c)
	}
	receive(t, room, "room")
	if !s.QueueIfRoom(large) {
		t.Error("the large frame is refused again")
	}
}
