package service_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Commands and answers over HTTP. The host has authenticated who acts, and says which
// commands it takes from outside.
func ExampleUnmarshalCommand() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	answer := func(w http.ResponseWriter, status int, body any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		cmd, err := roomkit.UnmarshalCommand(body)
		if err != nil {
			answer(w, http.StatusBadRequest, err)
			return
		}
		user := roomkit.UserID(r.Header.Get("User")) // take it from the session
		made, err := svc.Do(r.Context(), roomkit.By(user), cmd)
		if err != nil {
			answer(w, service.CategoryOf(err).HTTPStatus(), err)
			return
		}
		made.Events, made.Notices, made.Cursor = nil, nil, "" // not for this user's eyes
		answer(w, http.StatusOK, made)
	})
	post := func(body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("User", "ann")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}

	post(`{"command":"OpenDirect","with":"ben"}`)
	post(`{"command":"OpenDirect","user":"ben"}`)
	post(`{"command":"SuspendUser","user":"ben"}`)
	// Output:
	// 200 {"room":"4ca7cb80-9651-8802-aaa5-0418f9d45c16","kind":"direct","version":2,"opened":true,"changed":true}
	// 400 {"field":"user","reason":"no such field"}
	// 403 {"op":"SuspendUser","error":"denied by ADM-23: not an account or company that the actor administers","denied":{"rule":"ADM-23","actor":"ann","reason":"not an account or company that the actor administers"}}
}
