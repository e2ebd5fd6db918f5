package chromium

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"maps"
	"slices"
	"time"
)

// Film is a row of pictures, each with the time that it is shown.
type Film struct {
	frames []*image.RGBA
	delays []time.Duration
}

// Add puts a picture, a PNG, at the end.
func (f *Film) Add(picture []byte, shown time.Duration) error {
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	frame := image.NewRGBA(image.Rectangle{Max: decoded.Bounds().Size()})
	draw.Draw(frame, frame.Bounds(), decoded, decoded.Bounds().Min, draw.Src)
	f.frames, f.delays = append(f.frames, frame), append(f.delays, shown)
	return nil
}

// GIF gives the film as an animated GIF that begins again at its end. Of a picture only
// what differs from the one before is stored, in the colours that are most frequent.
func (f *Film) GIF() ([]byte, error) {
	colours := f.palette()
	nearest := map[color.RGBA]uint8{}
	out := &gif.GIF{}
	for i, frame := range f.frames {
		changed := frame.Bounds()
		if i > 0 {
			changed = difference(f.frames[i-1], frame)
		}
		part := image.NewPaletted(changed, colours)
		for y := changed.Min.Y; y < changed.Max.Y; y++ {
			for x := changed.Min.X; x < changed.Max.X; x++ {
				at := frame.RGBAAt(x, y)
				index, known := nearest[at]
				if !known {
					index = uint8(colours.Index(at))
					nearest[at] = index
				}
				part.SetColorIndex(x, y, index)
			}
		}
		out.Image, out.Delay = append(out.Image, part), append(out.Delay, int(f.delays[i]/(10*time.Millisecond)))
		out.Disposal = append(out.Disposal, gif.DisposalNone)
	}
	var file bytes.Buffer
	err := gif.EncodeAll(&file, out)
	return file.Bytes(), err
}

// palette has the 256 most frequent colours of all pictures.
func (f *Film) palette() color.Palette {
	count := map[color.RGBA]int{}
	for _, frame := range f.frames {
		for i := 0; i < len(frame.Pix); i += 4 {
			count[color.RGBA{frame.Pix[i], frame.Pix[i+1], frame.Pix[i+2], 255}]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var colours color.Palette
	for _, c := range frequent[:min(256, len(frequent))] {
		colours = append(colours, c)
	}
	return colours
}

// difference is the smallest box with all that differs, never empty.
func difference(before, after *image.RGBA) image.Rectangle {
	box := image.Rect(0, 0, 1, 1)
	found := false
	for y := range after.Bounds().Dy() {
		for x := range after.Bounds().Dx() {
			if before.RGBAAt(x, y) == after.RGBAAt(x, y) {
				continue
			}
			at := image.Rect(x, y, x+1, y+1)
			if found {
				at = at.Union(box)
			}
			box, found = at, true
		}
	}
	return box
}
