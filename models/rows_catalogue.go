package models

// TagCategory groups tags of a company.
type TagCategory struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
}

// Tag is a label for chats.
type Tag struct {
	ID         int64
	CompanyID  int64
	CategoryID *int64
	Name       string
	Color      string
	Sort       int64
}

// Level is a step of the sales funnel.
type Level struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
}

// QuickResponseList holds prepared answers. Its accesses determine who sees it.
type QuickResponseList struct {
	ID        int64
	CompanyID int64
	Name      string
	Sort      int64
	CreatedBy *int64 // the creator keeps permission w
	CreatedAt int64
}

// QuickResponseAccess lets a user read (r) or also write (w) a list.
type QuickResponseAccess struct {
	ListID     int64 `gorm:"primaryKey"`
	UserID     int64 `gorm:"primaryKey"`
	Permission string
}

// QuickResponse is a prepared answer.
type QuickResponse struct {
	ID       int64
	ListID   int64
	ParentID *int64
	Name     string
	Sort     int64
	Text     string
	Keywords string
	EnableAI bool
}
