package crm

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
	"unicode"

	"chatcast/channels/refusals"
	"chatcast/models"
)

// touchEvery is how exact the time of a session's last use is: not every request may
// cost a write.
const touchEvery = 5 * time.Minute

// maxAgent is how much of a User-Agent is kept, in characters.
const maxAgent = 200

// Client describes where a request comes from, as the list of sessions shows it.
type Client struct {
	Address   string
	UserAgent string
}

// SessionData is a session of a user: a sign-in and its pair of tokens, however often
// they were refreshed since.
type SessionData struct {
	ID         int64  `json:"id"`
	AppID      string `json:"appId"`
	CreatedAt  int64  `json:"createdAt"`
	LastUsedAt int64  `json:"lastUsedAt"` // exact to five minutes
	EndTime    int64  `json:"endTime"`    // when it ends unless it is refreshed
	Address    string `json:"address"`    // of the sign-in or the last refresh; may be empty
	UserAgent  string `json:"userAgent"`  // likewise
	Current    bool   `json:"current"`    // the session of the request
}

// UserSessions lists the actor's own sessions, newest first. The access token tells which
// is the current one.
func (s *Service) UserSessions(ctx context.Context, a Actor, accessToken string, q PageQuery) (Page[SessionData], error) {
	var none Page[SessionData]
	start, limit, err := q.start("sessions", 1)
	if err != nil {
		return none, err
	}
	tx := s.Store.Read(ctx)
	current, err := s.token(tx, accessToken)
	if err != nil {
		return none, err
	}
	var before int64
	if start != nil {
		before = start[0]
	}
	rows, err := tx.LiveTokens(a.UserID, s.Now().Unix(), before, limit+1)
	if err != nil {
		return none, err
	}
	return pageOf("sessions", rows, limit,
		func(t models.Token) []int64 { return []int64{t.ID} },
		func(t models.Token) SessionData {
			return SessionData{
				ID: t.ID, AppID: t.AppID, CreatedAt: t.CreatedAt, LastUsedAt: max(t.CreatedAt, t.LastUsedAt), EndTime: t.RefreshExpiresAt,
				Address: t.Address, UserAgent: t.UserAgent, Current: t.ID == current.ID,
			}
		}), nil
}

// EndSession ends one of the actor's own sessions. Another user's session is
// CodeNotFound.
func (s *Service) EndSession(ctx context.Context, a Actor, id int64) error {
	return s.change(ctx, func(c *change) error {
		if _, err := c.tx.LockUser(a.UserID); err != nil {
			return err
		}
		t, err := c.tx.LiveToken(a.UserID, id, c.now.Unix())
		if err != nil {
			return orNotFound(err, "session")
		}
		if err := s.endSession(c, t); err != nil {
			return err
		}
		return c.auditUser(a.UserID, audited{action: AuditSessionEnded, by: a.auditor(), on: ofID(targetSession, t.ID, "")})
	})
}

// EndOtherSessions ends the actor's sessions except that of the access token.
func (s *Service) EndOtherSessions(ctx context.Context, a Actor, accessToken string) error {
	return s.change(ctx, func(c *change) error {
		if _, err := c.tx.LockUser(a.UserID); err != nil {
			return err
		}
		current, err := s.token(c.tx, accessToken)
		if err != nil {
			return err
		}
		list, err := c.tx.LiveTokens(a.UserID, c.now.Unix(), 0, math.MaxInt32)
		if err != nil {
			return err
		}
		for _, t := range list {
			if t.ID == current.ID {
				continue
			}
			if err := s.endSession(c, &t); err != nil {
				return err
			}
			if err := c.auditUser(a.UserID, audited{action: AuditSessionEnded, by: a.auditor(), on: ofID(targetSession, t.ID, "")}); err != nil {
				return err
			}
		}
		return nil
	})
}

// endSession ends a session and, after the commit, the sockets that it vouched for. The
// caller has locked the user.
func (s *Service) endSession(c *change, t *models.Token) error {
	c.endAccess(models.AccessEnd{UserID: t.UserID, Kind: models.EndOfSession, Session: t.ID})
	return c.tx.RevokeToken(t.ID, c.now.Unix())
}

// RefreshToken exchanges a refresh token for a new pair and ends the old pair. A token
// that was exchanged already has been copied, by a thief or from one, and it is not known
// which of the two presents it: the session ends, with the pair that it has now and its
// sockets. Otherwise the session goes on, and its sockets with it. So of two concurrent exchanges neither leaves a valid pair.
func (s *Service) RefreshToken(ctx context.Context, refreshToken string, from Client) (*TokenPair, error) {
	if refreshToken == "" {
		return nil, &Error{Code: CodeNoToken, Message: "a refresh token is required, in the Refresh header or as refreshToken"}
	}
	from = clientOf(from.Address, from.UserAgent)
	var pair *TokenPair // nil: the token was exchanged already
	err := s.change(ctx, func(c *change) error {
		c.from, pair = from, nil
		t, used, err := c.lockSession(hashToken(refreshToken))
		if err != nil {
			return err
		}
		if used {
			s.Log.WarnContext(ctx, "a refresh token was presented again; its session ends", "user", t.UserID, "session", t.ID, "address", from.Address)
			if err := s.endSession(c, t); err != nil {
				return err
			}
			return c.auditUser(t.UserID, audited{action: AuditSessionReused, by: byUnknown, on: ofID(targetSession, t.ID, "")})
		}
		var row *models.Token
		row, pair = newPair(t.UserID, t.AppID, c.now, from)
		c.after = append(c.after, func() { s.Live.ExtendSession(t.UserID, t.ID, time.Unix(row.AccessExpiresAt, 0)) })
		return c.tx.RotateToken(row, t)
	})
	if errors.Is(err, models.ErrNotFound) || err == nil && pair == nil {
		reason := refusals.BadToken
		if err == nil {
			reason = refusals.Reused
		}
		s.refuse(ctx, refusals.Refresh, reason, 0, from, "", byUnknown)
		return nil, &Error{Code: CodeBadToken, Message: "the refresh token is invalid or has expired"}
	}
	if err != nil {
		return nil, err
	}
	return pair, nil
}

// lockSession locks the user of the session that has or had the refresh token with this
// hash, and returns the session. used reports that the token was exchanged already.
func (c *change) lockSession(hash string) (t *models.Token, used bool, err error) {
	find := func() error {
		used = false
		t, err = c.tx.TokenByRefresh(hash)
		if errors.Is(err, models.ErrNotFound) {
			used = true
			t, err = c.tx.TokenByUsedRefresh(hash)
		}
		if err == nil && t.RefreshExpiresAt <= c.now.Unix() {
			err = models.ErrNotFound
		}
		return err
	}
	if err := find(); err != nil {
		return nil, false, err
	}
	user, err := c.tx.LockUser(t.UserID)
	if err != nil {
		return nil, false, err
	}
	if user.DisabledAt != 0 {
		return nil, false, models.ErrNotFound
	}
	return t, used, find()
}

// touch notes that the session is used, unless that was noted lately. It only logs an
// error, because an error must not fail the request, and then rests: while the database
// takes no writes, requests must not wait for it.
func (s *Service) touch(ctx context.Context, t *models.Token) {
	now := s.Now()
	if now.Sub(time.Unix(t.LastUsedAt, 0)) < touchEvery || now.Sub(time.Unix(s.untouched.Load(), 0)) < touchEvery {
		return
	}
	err := s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.TouchToken(t.ID, now.Unix()) })
	if err != nil && ctx.Err() == nil {
		s.untouched.Store(now.Unix())
		s.Log.WarnContext(ctx, "the use of a session was not noted", "session", t.ID, "error", err)
	}
}

// clientOf returns the client in a form that every database takes.
func clientOf(address, agent string) Client {
	agent = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
	if runes := []rune(agent); len(runes) > maxAgent {
		agent = string(runes[:maxAgent])
	}
	return Client{Address: address, UserAgent: agent}
}
