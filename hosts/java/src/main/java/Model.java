import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import tools.jackson.core.io.NumberOutput;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** A model file, and the columns that its schema makes of records: docs/ABI.md, "From a model file to a score". */
record Model(JsonNode manifest, byte[] weights, byte[] intercept) {
  static final ObjectMapper JSON = new ObjectMapper();

  record Column(int kind, int slots, byte[] bytes) {}

  static Model load(Path path) throws Exception {
    byte[] file = Files.readAllBytes(path);
    byte[] blank = file.clone();
    Arrays.fill(blank, 35, 99, (byte) '0');
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(blank));
    if (!digest.equals(new String(file, 35, 64))) {
      throw new IllegalArgumentException("expected the SHA-256 stored in the model file, got another one; copy it");
    }
    int data = 8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode header = JSON.readTree(file, 8, data - 8);
    JsonNode manifest = JSON.readTree(header.at("/__metadata__/logodds").asString());
    int classes = manifest.get("classes").size();
    if (classes != 2) {
      throw new IllegalArgumentException(
          "expected a model of two classes, got " + classes + "; score it with the library");
    }
    for (String field : List.of("/calibration", "/decision/costs", "/decision/abstain")) {
      JsonNode found = manifest.at(field);
      if (!found.isMissingNode() && !found.isNull()) {
        throw new IllegalArgumentException(
            "expected a model without " + field + ", got one with it; score it with the library");
      }
    }
    return new Model(manifest, tensor(file, data, header.get("weights")), tensor(file, data, header.get("intercept")));
  }

  private static byte[] tensor(byte[] file, int data, JsonNode entry) {
    JsonNode offsets = entry.get("data_offsets");
    return Arrays.copyOfRange(file, data + offsets.get(0).asInt(), data + offsets.get(1).asInt());
  }

  /** The cells of a field, one a row. */
  static List<JsonNode> cells(String name, List<JsonNode> rows) {
    if (!rows.stream().allMatch(row -> row.has(name))) {
      throw new IllegalArgumentException("expected a field " + name + ", found none; use null for a missing value");
    }
    return rows.stream().map(row -> row.get(name)).toList();
  }

  static double number(JsonNode cell) {
    if (cell.isNumber() && Double.isFinite(cell.doubleValue())) return cell.doubleValue();
    throw new IllegalArgumentException("expected a finite number, got " + cell);
  }

  /** The text of a category: a number as ECMAScript writes it. */
  static String text(JsonNode cell) {
    if (!cell.isNumber()) return cell.asString();
    double value = number(cell);
    if (value == 0) return "0";
    // the shortest digits (as Double.toString from Java 19 on), but at least two of them: one may do
    var digits = new BigDecimal(NumberOutput.toString(value, true)).stripTrailingZeros();
    BigDecimal one = digits.round(new MathContext(1));
    if (one.doubleValue() == value) digits = one;
    double size = Math.abs(value);
    if (size >= 1e-6 && size < 1e21) return digits.toPlainString();
    int exponent = digits.precision() - digits.scale() - 1;
    return digits.movePointLeft(exponent).toPlainString() + (exponent < 0 ? "e" : "e+") + exponent;
  }

  /** The columns of a feature, in order. */
  static List<Column> columns(JsonNode feature, List<JsonNode> rows) {
    String name = feature.get(feature.has("column") ? "column" : "name").asString();
    String kind = feature.get("kind").asString();
    if (!kind.equals("numeric") && !kind.equals("categorical")) {
      throw new IllegalArgumentException(
          "feature " + name + ": expected numeric or categorical, got " + kind + "; score it with the library");
    }
    List<JsonNode> cells = cells(name, rows);
    if (kind.equals("numeric")) {
      double mean = feature.get("mean").doubleValue();
      ByteBuffer numbers = buffer(8 * cells.size());
      for (JsonNode cell : cells) numbers.putDouble(cell.isNull() ? mean : number(cell));
      ByteBuffer flags = buffer(cells.size());
      for (JsonNode cell : cells) flags.put((byte) (cell.isNull() ? 1 : 0));
      Column column = new Column(1, 1, numbers.array());
      return feature.get("indicator").asBoolean() ? List.of(column, new Column(2, 2, flags.array())) : List.of(column);
    }
    Map<String, Integer> codes = new HashMap<>();
    for (JsonNode level : feature.get("levels")) codes.put(level.asString(), codes.size());
    int missing = codes.size();
    int unseen = missing + 1;
    for (JsonNode level : feature.path("rare")) codes.put(level.asString(), unseen);
    int gap = policy(feature, "missing", missing);
    int other = policy(feature, "unseen", unseen);
    int width = unseen < 1 << 8 ? 1 : unseen < 1 << 16 ? 2 : 4;
    ByteBuffer bytes = buffer(width * cells.size());
    for (JsonNode cell : cells) {
      int code = cell.isNull() ? gap : codes.getOrDefault(text(cell), other);
      if (code < 0) {
        throw new IllegalArgumentException(name + ": expected a level seen in training, got " + cell);
      }
      for (int i = 0; i < width; i++) bytes.put((byte) (code >>> 8 * i));
    }
    return List.of(new Column(2 + width / 2, unseen + 1, bytes.array()));
  }

  /** The code of a missing cell, of an unseen value; -1: an error. */
  private static int policy(JsonNode feature, String of, int slot) {
    int mode = 0;
    for (int i = 1; i < feature.get("levels").size(); i++) if (count(feature, i) > count(feature, mode)) mode = i;
    return switch (feature.get(of).asString()) {
      case "slot" -> slot;
      case "mode" -> mode;
      case "baseline" -> feature.get("reference").isNull() ? mode : feature.get("reference").asInt();
      default -> -1;
    };
  }

  private static double count(JsonNode feature, int level) {
    return feature.get("counts").get(level).doubleValue();
  }

  static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
