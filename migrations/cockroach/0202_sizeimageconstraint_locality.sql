ALTER TABLE "sizeimageconstraint" SET LOCALITY GLOBAL;
