package crm

import (
	"context"
	"slices"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// Names of the events about instances and the company's tags.
const (
	EventInstance   = "instance"
	EventCompanyTag = "companyTag"
)

// InstanceItem is the item of instance: a line was made, or deleted.
type InstanceItem struct {
	Type     string      `json:"type"` // create or destroy
	Instance InstanceRef `json:"instance"`
	Time     int64       `json:"time"`
	FromApp  *AppRef     `json:"fromApp"`
	Edited   *IDRef      `json:"edited"`
}

// InstanceRef names an instance.
type InstanceRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TagItem is the item of companyTag: the company has another tag, or one fewer, or it was changed.
type TagItem struct {
	Type    string  `json:"type"` // create, edit or destroy
	Tag     TagCard `json:"tag"`
	FromApp *AppRef `json:"fromApp"`
	Edited  *IDRef  `json:"edited"` // null: a phone changed its labels
}

// TagCard is a tag as its event tells of it.
type TagCard struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"`
}

// emitInstance tells that a line was made, or will be deleted. The latter is called before: it is
// for those who may read the line still.
func (c *change) emitInstance(a Actor, typ string, companyID int64, on Line, ref InstanceRef) error {
	if c.quiet {
		return nil
	}
	l := &line{companyID: companyID, licenseID: on.LicenseID, messenger: on.Messenger}
	ev, err := c.lineEvent(l, EventInstance, InstanceItem{Type: typ, Instance: ref, Time: c.now.Unix(), FromApp: a.fromApp(), Edited: a.edited()})
	if err != nil {
		return err
	}
	ev.last = typ == TypeDestroy
	c.emit(ev)
	return nil
}

// emitDeleted tells that the lines of a licence will be deleted; messenger, unless empty, names the
// only one.
func (c *change) emitDeleted(a Actor, l *models.License, messenger string) error {
	rows, err := c.tx.InstancesOf([]int64{l.CompanyID})
	for _, row := range rows {
		if err == nil && row.LicenseID == l.ID && (messenger == "" || row.MessengerType == messenger) {
			err = c.emitInstance(a, TypeDestroy, l.CompanyID, Line{LicenseID: l.ID, Messenger: row.MessengerType}, InstanceRef{row.ID, row.Name})
		}
	}
	return err
}

// emitTagChange tells the company's people of a change of its tags, and whoever is on its lines: tags are
// the labels of their chats.
func (c *change) emitTagChange(a Actor, typ string, t *models.Tag) error {
	if c.quiet {
		return nil
	}
	rows, err := c.tx.InstancesOf([]int64{t.CompanyID})
	if err != nil {
		return err
	}
	names := []string{channels.CompanyName(t.CompanyID)}
	for _, row := range rows {
		names = append(names, channels.LineName(row.LicenseID, row.MessengerType))
	}
	c.emit(Event{
		Name: EventCompanyTag, CompanyID: t.CompanyID, Channels: names, Meta: CompanyMeta{Type: EventCompanyTag, CompanyID: t.CompanyID},
		Items: []any{TagItem{Type: typ, Tag: TagCard{t.ID, t.Name, t.Color}, FromApp: a.fromApp(), Edited: a.edited()}},
	})
	return nil
}

func (c *change) createTag(a Actor, t *models.Tag) error {
	if err := c.tx.CreateTag(t); err != nil {
		return err
	}
	return c.emitTagChange(a, TypeCreate, t)
}

func (c *change) saveTag(a Actor, t *models.Tag) error {
	if err := c.tx.SaveTag(t); err != nil {
		return err
	}
	return c.emitTagChange(a, TypeEdit, t)
}

func (c *change) deleteTag(a Actor, t *models.Tag) error {
	if err := c.tx.DeleteTag(t.ID); err != nil {
		return err
	}
	return c.emitTagChange(a, TypeDestroy, t)
}

// Relayed is a Live in a program with a relay, which publishes soon what was committed.
type Relayed interface {
	Live
	Relayed()
}

// lastWordsTime is how long the ends of access to a deleted line wait for the last event of it:
// nothing else is told of the line meanwhile.
const lastWordsTime = time.Second

// awaitLast waits until the last events of deleted lines were published, so that those who are
// there get them before their access ends.
func (s *Service) awaitLast(entries []int64) {
	if _, relayed := s.Live.(Relayed); !relayed || len(entries) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWordsTime)
	defer cancel()
	last := slices.Max(entries)
	for {
		grown := s.Journal.next()
		if told, err := s.Store.Read(ctx).JournalPublished(last); err != nil || told {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return
		}
	}
}
