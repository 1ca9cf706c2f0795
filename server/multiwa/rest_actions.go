package multiwa

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// Bounds of typing.
const (
	maxTyping   = 60_000          // milliseconds that a request may ask for
	typingAgain = 8 * time.Second // after which people are shown it again: WhatsApp forgets it soon
	typingTime  = 2 * time.Minute // of a request
)

// typingKinds are the states of typing.
var typingKinds = map[string]string{
	"": crm.TypingText, "typing": crm.TypingText, "composing": crm.TypingText, "recording": crm.TypingVoice,
	"paused": crm.TypingPaused, "stop": crm.TypingPaused, "available": crm.TypingPaused,
}

// typing shows that we are writing, or recording, or do so no longer. With a duration it shows
// that for so long, and then no longer; the answer comes after that. Without one nothing has to
// be done at the end: phones hide it after some seconds.
func (a *API) typing(c *gin.Context) (any, error) {
	var in struct {
		target
		ChatID   string  `json:"chatId"`
		State    string  `json:"state"`
		Duration float64 `json:"duration"` // milliseconds
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	field := "to"
	if in.To == "" && in.ChatID != "" {
		field, in.To = "chatId", in.ChatID
	}
	at, err := address(of.Line, field, in.To)
	if err != nil {
		return nil, err
	}
	kind, known := typingKinds[in.State]
	switch {
	case !known:
		return nil, crm.Invalid("state", "must be typing, composing, recording, paused or stop")
	case in.Duration < 0 || in.Duration > maxTyping:
		return nil, crm.Invalid("duration", "must be from 0 to %d milliseconds", maxTyping)
	}
	show := func(ctx context.Context, kind string) error { return a.CRM.Typing(ctx, actor(c), at, kind) }
	err = typeFor(c.Request.Context(), time.Duration(in.Duration)*time.Millisecond, kind, show)
	return done{}, inWords(err, map[string]string{"chatId": field})
}

// typeFor shows a kind of typing for so long, and then that it is over; with 0, and of what is over
// already, only once.
func typeFor(ctx context.Context, left time.Duration, kind string, show func(ctx context.Context, kind string) error) error {
	err := show(ctx, kind)
	if err != nil || left <= 0 || kind == crm.TypingPaused {
		return err
	}
	for {
		part := min(left, typingAgain)
		if err := sleep(ctx, part); err != nil {
			return err
		}
		if left -= part; left <= 0 {
			break
		}
		_ = show(ctx, kind) // it may be lost: the first one was not
	}
	return show(ctx, crm.TypingPaused)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// markRead marks a chat as read. The messenger knows only whole chats as read, up to the
// last message, so the ids of messages are not needed.
func (a *API) markRead(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string `json:"profileId"`
		ChatID    string `json:"chatId"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	at, err := address(of.Line, "chatId", in.ChatID)
	if err == nil {
		_, err = a.CRM.MarkRead(c.Request.Context(), actor(c), at)
	}
	return done{}, err
}

func (a *API) deleteForEveryone(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string `json:"profileId"`
		ChatID    string `json:"chatId"`
		MessageID string `json:"messageId"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	at, id, err := a.message(c, of, "messageId", in.MessageID, in.ChatID)
	if err == nil {
		err = a.CRM.DeleteMessage(c.Request.Context(), actor(c), at, id)
	}
	return done{}, err
}
