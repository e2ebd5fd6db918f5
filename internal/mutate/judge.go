package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const switchVariable = "ROOMKIT_MUTANT"

var errSurvived = errors.New("survived")

// stage is a part of the tests. Most mutants fall in the first.
type stage struct {
	name  string
	args  []string
	env   []string
	limit time.Duration // set by the run without a mutant
}

const slow = "^(TestAuthorityMatrix|TestSmallWorld|TestTinyWorld|TestMachine|FuzzMachine|TestDecodeSmallChanges)"

// What random tests find must not depend on the day, and need not be shrunk.
var stages = []stage{
	{name: "rules", args: []string{"-test.skip", slow + "|^TestRuleCoverage$|^TestGeneratedDocs"}},
	{name: "matrix", args: []string{"-test.run", "^(TestAuthorityMatrix|TestGeneratedDocs.*)$"}},
	{name: "machine", args: []string{"-test.run", "^TestMachine$"}, env: []string{"ROOMKIT_STEPS=6000"}},
	{name: "worlds", args: []string{"-test.run", "^(TestSmallWorld|TestTinyWorld|TestDecodeSmallChanges)"}},
}

var always = []string{
	"-test.short", "-test.failfast", "-rapid.seed=1", "-rapid.shrinktime=1ns", "-rapid.nofailfile",
}

// judges hold the one test binary that has all mutants in it.
type judges struct {
	binary string
	stages []stage
}

// build compiles the instrumented files, by their names, into one binary.
func build(dir string, files map[string]string) (string, error) {
	replace := map[string]string{}
	for name, text := range files {
		target, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		replace[target] = filepath.Join(dir, name)
		if err := os.WriteFile(replace[target], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutants.test")
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
}

// measure runs every stage without a mutant: it has to pass, and what takes
// many times as long is taken to hang.
func (j *judges) measure() error {
	for i := range j.stages {
		s := &j.stages[i]
		s.limit = 5 * time.Minute
		began := time.Now()
		if out, err := j.try(s, 0); err != nil {
			return fmt.Errorf("the tests fail without a mutant: %w\n%s", err, out)
		}
		took := time.Since(began)
		s.limit = 10*time.Second + 10*took
		fmt.Printf("stage %s: %s without a mutant\n", s.name, took.Round(10*time.Millisecond))
	}
	return nil
}

// judge gives the stage that notices the mutant, or errSurvived.
func (j *judges) judge(m mutant) (string, error) {
	for i := range j.stages {
		if !j.passes(&j.stages[i], m.number) {
			return j.stages[i].name, nil
		}
	}
	return "", errSurvived
}

func (j *judges) passes(s *stage, number int) bool {
	_, err := j.try(s, number)
	return err == nil
}

func (j *judges) try(s *stage, number int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, j.binary, append(s.args, always...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400", "ROOMKIT_LONG=", switchVariable+"="+strconv.Itoa(number))
	cmd.Env = append(cmd.Env, s.env...)
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}
