package multiwa

import (
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/models/testdb"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	testdb.Main(m)
}
