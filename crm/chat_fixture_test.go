package crm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
)

const whatsApp = "grWhatsApp"

// putChat inserts a chat into the world without the rules. edit may change it first.
func putChat(t *testing.T, w *crmtest.World, messenger, id string, edit ...func(*models.Chat)) models.Chat {
	t.Helper()
	chat := models.Chat{
		CompanyID: crmtest.CompanyID, LicenseID: crmtest.LicenseID, MessengerType: messenger,
		ExternalID: id, Hash: "h1", Type: models.ChatPrivate, Name: id, Status: models.ChatOpen,
		LastTime: crmtest.Start, CreatedAt: crmtest.Start,
	}
	for _, f := range edit {
		f(&chat)
	}
	w.Tx(t, func(tx *models.Tx) error { return tx.Insert(&chat) })
	return chat
}

func ofUser(userID int64) func(*models.Chat) {
	return func(c *models.Chat) { c.ResponsibleID = &userID }
}

func at(chat models.Chat) crm.ChatAddress {
	return crm.ChatAddress{
		Line:   crm.Line{LicenseID: chat.LicenseID, Messenger: chat.MessengerType},
		ChatID: chat.ExternalID,
	}
}

// catalogue holds the ids of the catalogue objects that the tests give to chats.
type catalogue struct {
	category, tag, otherTag, level, strangeTag, strangeLevel, strangeCategory int64
}

func putCatalogue(t *testing.T, w *crmtest.World) catalogue {
	t.Helper()
	category := models.TagCategory{ID: 9, CompanyID: crmtest.CompanyID, Name: "test 1", Sort: 100}
	strangeCategory := models.TagCategory{ID: 10, CompanyID: crmtest.StrangeCompany, Name: "strange", Sort: 100}
	tag := models.Tag{ID: 29, CompanyID: crmtest.CompanyID, CategoryID: &category.ID, Name: "test 1", Color: "#123df55", Sort: 100}
	other := models.Tag{ID: 30, CompanyID: crmtest.CompanyID, Name: "test 2", Color: "#fff", Sort: 50}
	strange := models.Tag{ID: 31, CompanyID: crmtest.StrangeCompany, Name: "strange", Color: "#fff", Sort: 100}
	level := models.Level{ID: 555, CompanyID: crmtest.CompanyID, Name: "New", Sort: 100}
	strangeLevel := models.Level{ID: 556, CompanyID: crmtest.StrangeCompany, Name: "strange", Sort: 100}
	w.Tx(t, func(tx *models.Tx) error {
		if err := tx.Insert(&category, &strangeCategory, &tag, &other, &strange, &level, &strangeLevel); err != nil {
			return err
		}
		for _, table := range []string{"tag_categories", "tags", "levels"} {
			if err := tx.BumpIdentity(table); err != nil {
				return err
			}
		}
		return nil
	})
	return catalogue{9, 29, 30, 555, 31, 556, 10}
}

// wantGolden compares the only event with a file of testdata/golden, byte by byte, and
// so with the order and the types of its fields. added is the JSON that is added on
// purpose to the documented shape.
func wantGolden(t *testing.T, events []crmtest.Event, file, added string) {
	t.Helper()
	if len(events) != 1 {
		t.Fatalf("%s: %d events, want one: %v", file, len(events), events)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "golden", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil {
		t.Fatal(err)
	}
	got := events[0].Data
	if added != "" {
		if strings.Count(got, added) != 1 {
			t.Errorf("%s: the addition %s is not there once: %s", file, added, got)
		}
		got = strings.Replace(got, added, "", 1)
	}
	if got != want.String() {
		t.Errorf("%s:\n got %s\nwant %s", file, got, want.String())
	}
}

// wantCode fails unless err is an *crm.Error with the code; field, when not
// empty, must be the one at fault.
func wantCode(t *testing.T, what string, err error, code crm.Code, field string) {
	t.Helper()
	var e *crm.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want the code %s", what, err, code)
		return
	}
	if _, ok := e.Fields[field]; field != "" && (!ok || len(e.Fields) != 1) {
		t.Errorf("%s: violations in %v, want one in %s", what, e.Fields, field)
	}
}

// wantSameError fails unless both errors are equal and unknown is CodeNotFound.
func wantSameError(t *testing.T, what string, got, unknown error) {
	t.Helper()
	var e *crm.Error
	if !errors.As(unknown, &e) || e.Code != crm.CodeNotFound {
		t.Errorf("%s: what does not exist is %v, want not found", what, unknown)
	}
	if !reflect.DeepEqual(got, unknown) {
		t.Errorf("%s: another company's is %v, what does not exist is %v: they must be alike", what, got, unknown)
	}
}

func names(events []crmtest.Event) []string {
	list := []string{}
	for _, ev := range events {
		list = append(list, ev.Name)
	}
	return list
}

// lineAnd returns the line's channel and the users' own channels in the company.
func lineAnd(users ...int64) []string {
	list := []string{channels.LineName(crmtest.LicenseID, whatsApp)}
	for _, u := range users {
		list = append(list, channels.CompanyUserName(crmtest.CompanyID, u))
	}
	return list
}
