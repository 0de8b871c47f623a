import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.wasm.Parser;
import tools.jackson.databind.JsonNode;

/**
 * Scores rows with logodds' kernels.wasm in Endive and compares the bits; written from docs/ABI.md.
 *
 * <p>Host kernels.wasm MODEL... where MODEL.safetensors is a model, and MODEL.json its rows and the bits they must give
 */
final class Host {
  private final Instance instance;
  private final Memory memory;
  private int top;

  Host(Path wasm) {
    instance = Instance.builder(Parser.parse(wasm)).build();
    memory = instance.memory();
    top = (int) call("heapBase");
    long abi = call("abiVersion");
    if (abi != 1) throw new IllegalArgumentException("expected ABI version 1, got " + abi + "; take another release");
  }

  private long call(String name, long... parameters) {
    long[] results = instance.export(name).apply(parameters);
    return results == null || results.length == 0 ? 0 : results[0];
  }

  /** The address of a new buffer that holds the bytes. */
  private int place(byte[] bytes) {
    int address = (top + 15) & -16;
    top = address + (bytes.length + 15 & -16);
    int pages = (top + 65535) / 65536;
    if (pages > memory.pages()) memory.grow(pages - memory.pages());
    memory.write(address, bytes);
    return address;
  }

  /** Logit and probability of each row. */
  double[][] score(Model model, List<JsonNode> rows) {
    var table = new ArrayList<Integer>();
    int slots = 0;
    for (JsonNode feature : model.manifest().at("/schema/features")) {
      for (Model.Column column : Model.columns(feature, rows)) {
        table.addAll(List.of(place(column.bytes()), column.kind(), slots, 0));
        slots += column.slots();
      }
    }
    String got = model.manifest().get("format") + " and " + model.weights().length / 8;
    if (!got.equals("1 and " + slots)) {
      throw new IllegalArgumentException("expected format and weights 1 and " + slots + ", got " + got);
    }
    ByteBuffer entries = Model.buffer(4 * table.size());
    table.forEach(entries::putInt);
    int n = rows.size();
    int plane = n + 3 & -4;
    int z = place(new byte[8 * plane]);
    int p = place(new byte[8 * plane]);
    int w = place(model.weights());
    int b = place(model.intercept());
    call("logitsColumnsF64", place(entries.array()), table.size() / 4, 0, n, w, slots, b, 1, z, plane);
    JsonNode offset = model.manifest().get("offset");
    if (!offset.isNull()) {
      List<JsonNode> offsets = Model.cells(offset.asString(), rows);
      for (int i = 0; i < n; i++) {
        memory.writeF64(z + 8 * i, memory.readDouble(z + 8 * i) + Model.number(offsets.get(i)));
      }
    }
    call("sigmoidF64", z, n, p);
    double[][] scores = new double[n][];
    for (int i = 0; i < n; i++) scores[i] = new double[] {memory.readDouble(z + 8 * i), memory.readDouble(p + 8 * i)};
    return scores;
  }

  /** The class of a row by its probability. NaN is above no threshold: it would pass as the negative class. */
  private static String label(JsonNode manifest, double probability) {
    if (Double.isNaN(probability)) {
      throw new IllegalArgumentException("expected numbers whose logit is a number, got NaN; its terms overflow");
    }
    boolean positive = probability > manifest.at("/decision/threshold").doubleValue();
    JsonNode label = manifest.get("classes").get(0);
    if (label.equals(manifest.get("positive")) != positive) label = manifest.get("classes").get(1);
    return label.asString();
  }

  private static boolean refuses(JsonNode manifest, double probability) {
    try {
      label(manifest, probability);
      return false;
    } catch (IllegalArgumentException refusal) {
      return true;
    }
  }

  private static String bits(double value) {
    return "%016x".formatted(Double.doubleToLongBits(value));
  }

  /** Compares the scores of the rows with what they must be, and returns the number of rows. */
  private static int check(String wasm, String name) throws Exception {
    Model model = Model.load(Path.of(name + ".safetensors"));
    JsonNode cases = Model.JSON.readTree(Path.of(name + ".json"));
    double[][] scores = new Host(Path.of(wasm)).score(model, cases.get("rows").valueStream().toList());
    JsonNode manifest = model.manifest();
    for (int i = 0; i < scores.length; i++) {
      List<String> got = List.of(bits(scores[i][0]), bits(scores[i][1]), label(manifest, scores[i][1]));
      String at = "/" + i;
      var fields = Stream.of("/logits", "/probabilities", "/labels");
      List<String> want = fields.map(field -> cases.at(field + at).asString()).toList();
      if (!got.equals(want)) throw new IllegalArgumentException("row " + i + ": expected " + want + ", got " + got);
    }
    List<JsonNode> refused = cases.path("refused").valueStream().toList();
    for (double[] score : new Host(Path.of(wasm)).score(model, refused)) {
      if (!refuses(manifest, score[1])) throw new IllegalArgumentException("expected a refusal, got " + score[1]);
    }
    return scores.length;
  }

  public static void main(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      Path model = Path.of(arguments[i]);
      try {
        System.out.println(model.getFileName() + ": " + check(arguments[0], arguments[i]) + " rows, the same bits");
      } catch (IllegalArgumentException | java.io.IOException error) {
        System.err.println(model.getFileName() + ": " + error.getMessage());
        System.exit(1);
      }
    }
  }
}
