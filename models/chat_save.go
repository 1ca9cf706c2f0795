package models

import (
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// SaveChat writes the columns of a chat that have changed since LockChat returned it: each
// message changes two or three of them, and a dozen indexes have some of the others. It returns
// ErrDuplicate when another chat has one of its ids.
func (tx *Tx) SaveChat(c *Chat) error {
	before, locked := tx.chats[c.ID]
	if !locked {
		return tx.constraint(tx.db.Select("*").Save(c).Error)
	}
	if err := c.BeforeSave(tx.db); err != nil {
		return err
	}
	fields, values, err := tx.columns(c)
	if err != nil {
		return err
	}
	changed := map[string]any{}
	for i, v := range values {
		if v != before[i] {
			changed[fields[i].DBName] = v
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := tx.constraint(tx.db.Model(&Chat{}).Where("id = ?", c.ID).UpdateColumns(changed).Error); err != nil {
		return err
	}
	tx.chats[c.ID] = values
	return nil
}

// remember notes what the database has of chats that were locked.
func (tx *Tx) remember(chats ...*Chat) error {
	if tx.chats == nil {
		tx.chats = map[int64][]any{}
	}
	for _, c := range chats {
		_, values, err := tx.columns(c)
		if err != nil {
			return err
		}
		tx.chats[c.ID] = values
	}
	return nil
}

// columns returns the columns of a row, and their values; a nil pointer is nil.
func (tx *Tx) columns(row any) ([]*schema.Field, []any, error) {
	parsed := &gorm.Statement{DB: tx.db}
	if err := parsed.Parse(row); err != nil {
		return nil, nil, err
	}
	values := make([]any, len(parsed.Schema.Fields))
	of := reflect.ValueOf(row).Elem()
	for i, f := range parsed.Schema.Fields {
		v := f.ReflectValueOf(tx.db.Statement.Context, of)
		if v.Kind() != reflect.Pointer {
			values[i] = v.Interface()
		} else if !v.IsNil() {
			values[i] = v.Elem().Interface()
		}
	}
	return parsed.Schema.Fields, values, nil
}
