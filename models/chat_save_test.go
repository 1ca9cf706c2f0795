package models_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestSaveChat changes every column of a locked chat, one after the other and twice in one
// transaction: each is written, and the others stay.
func TestSaveChat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			return tx.Insert(
				&models.Company{ID: 1, Name: "c"}, &models.License{ID: 1, CompanyID: 1, Name: "l"}, &models.Messenger{LicenseID: 1, Type: "grWhatsApp"},
				&models.Chat{ID: 7, CompanyID: 1, LicenseID: 1, MessengerType: "grWhatsApp", ExternalID: "a", Hash: "h", Type: models.ChatPrivate, Status: models.ChatOpen, Name: "Ann"},
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		fixed := []string{"ID", "CompanyID", "LicenseID", "MessengerType", "Type", "Status", "Folded", "ResponsibleID", "ProducerID", "LevelID"}
		fields := reflect.TypeFor[models.Chat]()
		for i := range fields.NumField() {
			name := fields.Field(i).Name
			if slices.Contains(fixed, name) {
				continue
			}
			var want models.Chat
			err := store.Tx(t.Context(), func(tx *models.Tx) error {
				chat, err := tx.LockChat(1, "grWhatsApp", chatID(t, tx))
				if err != nil {
					return err
				}
				for range 2 {
					grow(reflect.ValueOf(chat).Elem().Field(i))
					if err := tx.SaveChat(chat); err != nil {
						return err
					}
				}
				want = *chat
				return tx.SaveChat(chat) // changes nothing
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := store.Read(t.Context()).ChatRow(7); err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("%s: the row is %+v, %v, want %+v", name, got, err, want)
			}
		}
	})
}

func chatID(t *testing.T, tx *models.Tx) string {
	t.Helper()
	chat, err := tx.ChatRow(7)
	if err != nil {
		t.Fatal(err)
	}
	return chat.ExternalID
}

// grow changes a value, in place where it is behind a pointer.
func grow(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		grow(v.Elem())
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int64:
		v.SetInt(v.Int() + 1)
	default:
		panic(v.Kind())
	}
}

// TestSaveChatOfAnother gives a chat the id of another one.
func TestSaveChatOfAnother(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		err := store.Tx(t.Context(), func(tx *models.Tx) error {
			chat := func(id int64, external string) *models.Chat {
				return &models.Chat{ID: id, CompanyID: 1, LicenseID: 1, MessengerType: "grWhatsApp", ExternalID: external, Hash: external, Type: models.ChatPrivate, Status: models.ChatOpen}
			}
			return tx.Insert(&models.Company{ID: 1, Name: "c"}, &models.License{ID: 1, CompanyID: 1, Name: "l"}, &models.Messenger{LicenseID: 1, Type: "grWhatsApp"}, chat(7, "a"), chat(8, "b"))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = store.Tx(t.Context(), func(tx *models.Tx) error {
			chats, err := tx.LockChats(1, "grWhatsApp", []string{"a"})
			if err != nil {
				return err
			}
			chats[0].ExternalID = "b"
			return tx.SaveChat(chats[0])
		})
		if !errors.Is(err, models.ErrDuplicate) {
			t.Errorf("it ends with %v", err)
		}
	})
}
