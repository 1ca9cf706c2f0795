package models

import (
	"context"
	"fmt"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

func openPostgres(ctx context.Context, url string) (*Store, error) {
	db, err := gorm.Open(postgres.Open(url), gormConfig())
	if err != nil {
		return nil, fmt.Errorf("models: open postgres: %w", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	return &Store{db: db, postgres: true, closers: []func() error{pool.Close}}, pool.PingContext(ctx)
}
