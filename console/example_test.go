package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A console that operators see at /console/.
func ExampleHandler() {
	svc, err := service.New(memstore.New(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	h, err := console.Handler(svc, console.Options{Authorize: func(r *http.Request) error {
		if _, password, _ := r.BasicAuth(); password != "of operators" {
			return errors.New("no operator")
		}
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", h)

	for _, password := range []string{"guessed", "of operators"} {
		r := httptest.NewRequest(http.MethodGet, "/console/matrix", nil)
		r.SetBasicAuth("kim", password)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 403
	// 200
}
